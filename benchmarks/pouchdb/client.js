'use strict';
// A client: PouchDB over LevelDB, replicating with the hub when told to.
//
//   node client.js --home DIR --port PORT --batch 100

const fs = require('fs');
const PouchDB = require('pouchdb');
const { say, answerOrders, arguments_, digestOf } = require('./orders');

const LOAD_BATCH = 1000;
const wanted = arguments_();
const options = { batch_size: Number(wanted.batch) };
fs.mkdirSync(wanted.home, { recursive: true });
const db = new PouchDB(wanted.home + '/db');
const remote = new PouchDB(`http://127.0.0.1:${wanted.port}/dossiers`);

async function load(order) {
  const lines = fs.readFileSync(order.file, 'utf8').split('\n').filter(Boolean);
  for (let at = 0; at < lines.length; at += LOAD_BATCH) {
    const docs = lines.slice(at, at + LOAD_BATCH).map((line) => {
      const { id, ...fields } = JSON.parse(line);
      return { _id: id, ...fields };
    });
    await db.bulkDocs(docs);
  }
  return { count: lines.length };
}

async function edit(order) {
  for (const one of order.edits) {
    const doc = await db.get(one.id);
    doc[one.field] = one.value;
    await db.put(doc);
  }
  return { count: order.edits.length };
}

async function push() {
  const done = await db.replicate.to(remote, options);
  return { sent: done.docs_written };
}

async function pull() {
  const done = await db.replicate.from(remote, options);
  return { received: done.docs_written };
}

async function sync() {
  const done = await db.sync(remote, options);
  return { sent: done.push.docs_written, received: done.pull.docs_written };
}

// Conflicts are hidden unless asked for, so they are asked for.
async function conflicts() {
  const all = await db.allDocs({ include_docs: true, conflicts: true });
  return { ids: all.rows.filter((row) => row.doc._conflicts).map((row) => row.id) };
}

async function digest() {
  return { digest: await digestOf(db) };
}

answerOrders({ load, edit, push, pull, sync, conflicts, digest });
db.info().then(() => say({ ready: true }));
