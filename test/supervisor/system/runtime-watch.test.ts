/** Watches of an actor's I/O. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { exitOf, startLocal, turn } from '../fixtures/local-system.ts'
import { observer, observers } from '../fixtures/observer.ts'
import { subject } from '../fixtures/subject.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

t.test('a watch of I/O that was told, or taken back, is not kept by its actor', async t => {
  const { system } = await startLocal(t)
  await system.spawn(observer, { id: 'o' })
  await system.spawn(subject, { id: 's' })
  const runtime = observers.get('o')!
  let told = 0
  const listeners = Array.from({ length: 100 }, (_, n) => {
    const listener = () => void told++
    const takeBack = runtime.watch(n % 2 === 0 ? 'nobody' : 's', listener)
    if (n % 2 === 1) takeBack()
    return new WeakRef(listener)
  })
  await turn()
  t.equal(told, 50)
  for (let turns = 0; turns < 100 && listeners.some(each => each.deref() !== undefined); turns++) {
    await turn()
    collect()
  }
  t.equal(listeners.filter(each => each.deref() !== undefined).length, 0)
})

t.test('a watch of I/O that is taken back hears nothing, and all of them end with their actor', async t => {
  const { system } = await startLocal(t)
  for (const id of ['o', 's']) await system.spawn(id === 'o' ? observer : subject, { id, restart: 'temporary' })
  const runtime = observers.get('o')!
  const heard: string[] = []
  const takeBack = runtime.watch('s', () => void heard.push('taken back'))
  runtime.watch('s', ({ address }) => void heard.push(address))
  takeBack()
  takeBack()
  const ended = exitOf(system, 's')
  await system.kill('s')
  await ended
  t.same(heard, ['s'])
  await system.spawn(subject, { id: 's', restart: 'temporary' })
  runtime.watch('s', () => void heard.push('after the end'))
  await system.kill('o')
  await system.kill('s')
  await turn()
  t.same(heard, ['s'])
})
