// express-pouchdb with leveldb in one folder: node server.js <folder> <docs.jsonl>. Prints its port when the documents are in.
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const express = require("express");
const PouchDB = require("pouchdb");

const BATCH = 1000;
const [folder, docs] = process.argv.slice(2);

async function fill(database) {
  let some = [];
  for await (const line of readline.createInterface({ input: fs.createReadStream(docs) })) {
    some.push(JSON.parse(line));
    if (some.length === BATCH) {
      await database.bulkDocs(some);
      some = [];
    }
  }
  if (some.length) await database.bulkDocs(some);
}

async function main() {
  const Stored = PouchDB.defaults({ prefix: path.join(folder, "db") + path.sep });
  fs.mkdirSync(path.join(folder, "db"), { recursive: true });
  const app = express();
  app.use(
    require("express-pouchdb")(Stored, {
      mode: "minimumForPouchDB", // the lightest: what replication needs and no more
      configPath: path.join(folder, "config.json"),
      logPath: path.join(folder, "log.txt"),
    })
  );
  await fill(new Stored("leads"));
  const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
}

main();
