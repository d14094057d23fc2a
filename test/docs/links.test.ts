/** Links within the project lead to files and headings that are there. */
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { readPages } from './pages.ts'

/** What GitHub makes of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

function anchorsOf(text: string): string[] {
  return [...text.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))
}

for (const { path, url, text } of readPages()) {
  t.test(`${path} links to what is there`, async t => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!).filter(link => !/^https?:/.test(link))
    const broken = links.filter(link => {
      const target = new URL(link, url)
      const { hash } = target
      target.hash = ''
      if (!existsSync(target)) return true
      return hash !== '' && !anchorsOf(readFileSync(target, 'utf8')).includes(hash.slice(1))
    })
    t.same(broken, [])
  })
}
