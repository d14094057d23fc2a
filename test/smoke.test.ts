import t from 'tap'

t.test('the suite runs on a supported Node', t => {
  const major: number = Number(process.versions.node.split('.')[0])
  t.ok(major >= 24)
  t.end()
})
