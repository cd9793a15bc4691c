'use strict';
// The hub: express-pouchdb over LevelDB, on a free port of loopback.
//
//   node hub.js --home DIR

const fs = require('fs');
const express = require('express');
const PouchDB = require('pouchdb');
const expressPouchDB = require('express-pouchdb');
const { say, answerOrders, arguments_, digestOf } = require('./orders');

const home = arguments_().home;
fs.mkdirSync(home, { recursive: true });
const Stored = PouchDB.defaults({ prefix: home + '/' });
const app = express();
// The lightest mode it has: no users, no log, no web pages. In its favour.
app.use('/', expressPouchDB(Stored, { mode: 'minimumForPouchDB', inMemoryConfig: true }));
const server = app.listen(0, '127.0.0.1', () => say({ port: server.address().port }));

answerOrders({
  digest: async () => ({ digest: await digestOf(new Stored('dossiers')) }),
  usage: async () => ({ usage: process.cpuUsage(), rss: process.memoryUsage().rss }),
});
