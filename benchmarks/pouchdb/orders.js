'use strict';
// Answers each JSON line on stdin with one JSON line on stdout, one after the other.
// Each answer tells its wall time and this process's own CPU for it.

const readline = require('readline');

function say(answer) {
  process.stdout.write(JSON.stringify(answer) + '\n');
}

function answerOrders(orders) {
  let last = Promise.resolve();
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    last = last.then(async () => {
      const order = JSON.parse(line);
      const began = process.hrtime.bigint();
      const before = process.cpuUsage();
      try {
        const answer = await orders[order.do](order);
        const used = process.cpuUsage(before);
        const wall = Number(process.hrtime.bigint() - began) / 1e6;
        say({ ...answer, wall_ms: wall, cpu_ms: (used.user + used.system) / 1000 });
      } catch (error) {
        say({ error: String((error && error.stack) || error) });
      }
    });
  });
  lines.on('close', () => last.then(() => process.exit(0)));
}

function arguments_() {
  const found = {};
  for (let at = 2; at < process.argv.length; at += 2) {
    found[process.argv[at].replace(/^--/, '')] = process.argv[at + 1];
  }
  return found;
}

// Equal data, equal digest: documents in order of id, keys sorted, revisions left out.
async function digestOf(db) {
  const hash = require('crypto').createHash('sha256');
  const all = await db.allDocs({ include_docs: true });
  for (const row of all.rows) {
    const { _rev, _id, ...fields } = row.doc;
    const sorted = {};
    for (const key of Object.keys(fields).sort()) sorted[key] = fields[key];
    hash.update(_id + JSON.stringify(sorted) + '\n');
  }
  return hash.digest('hex');
}

module.exports = { say, answerOrders, arguments_, digestOf };
