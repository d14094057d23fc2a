import pino from 'pino'

/** Crashes are the business of these tests: their log would fill pages. */
export const quietLogger = pino({ level: 'silent' })
