// `node server.js --port PORT --workers NUMBER`: serves on the loopback address.
//
// The endpoint, the region and the credentials of DynamoDB are where the SDK looks for them, in
// the environment.

import cluster from "node:cluster";
import { parseArgs } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { createApp } from "./app.js";

const { values } = parseArgs({
  options: { port: { type: "string" }, workers: { type: "string", default: "1" } },
});

if (cluster.isPrimary) lead();
else serve();

function lead() {
  for (let number = 0; number < Number(values.workers); number += 1) cluster.fork();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
  // A worker that dies without having been told to takes the service with it, so that no figures
  // are those of half a service.
  cluster.on("exit", (worker) => worker.exitedAfterDisconnect || process.exit(1));
}

function stop() {
  // Connections that are kept alive would hold a worker up for seconds, so it is not asked to wait.
  for (const worker of Object.values(cluster.workers)) {
    worker.exitedAfterDisconnect = true;
    worker.process.kill();
  }
}

function serve() {
  // One client, and so one pool of connections, for the life of a worker.
  const agent = { keepAlive: true, maxSockets: 50 };
  const client = new DynamoDBClient({ requestHandler: { httpAgent: agent, httpsAgent: agent } });
  createApp(DynamoDBDocumentClient.from(client)).listen(Number(values.port), "127.0.0.1");
}
