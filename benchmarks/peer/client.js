// A device with PouchDB on leveldb: node client.js <folder> <remote> <edits.jsonl>. Each line of stdin is a step; its CPU and wall seconds go out.
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const PouchDB = require("pouchdb");

const [folder, remote, edits] = process.argv.slice(2);
const local = new PouchDB(path.join(folder, "leads"));
const options = { batch_size: 1000 };

async function edit() {
  for (const line of fs.readFileSync(edits, "utf8").split("\n").filter(Boolean)) {
    const { id, change } = JSON.parse(line);
    await local.put({ ...(await local.get(id)), ...change });
  }
}

const steps = {
  pull: () => PouchDB.replicate(remote, local, options),
  edit,
  push: () => PouchDB.replicate(local, remote, options),
  next: async () => {
    await PouchDB.replicate(remote, local, options);
    await PouchDB.replicate(local, remote, options);
  },
  count: async () => (await local.info()).doc_count,
};

async function main() {
  for await (const step of readline.createInterface({ input: process.stdin })) {
    const before = process.cpuUsage();
    const begun = performance.now();
    const answer = await steps[step]();
    const spent = process.cpuUsage(before);
    console.log(
      JSON.stringify({ cpu: (spent.user + spent.system) / 1e6, wall: (performance.now() - begun) / 1000, docs: Number(answer) || 0 })
    );
  }
}

main();
