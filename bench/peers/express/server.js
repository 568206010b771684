// `node server.js --port PORT --workers NUMBER`: serves on the loopback address.
//
// The SDK reads the endpoint, the region and the credentials of DynamoDB from the environment.

import cluster from "node:cluster";
import { parseArgs } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { createApp } from "./app.js";

const { values } = parseArgs({
  options: { port: { type: "string" }, workers: { type: "string", default: "1" } },
});

if (cluster.isPrimary) startWorkers();
else serve();

function startWorkers() {
  for (let number = 0; number < Number(values.workers); number += 1) cluster.fork();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
  // An unexpected exit of a worker ends the service, so that half a service is never measured.
  cluster.on("exit", (worker) => worker.exitedAfterDisconnect || process.exit(1));
}

function stop() {
  // A graceful end would wait seconds for keep-alive connections.
  for (const worker of Object.values(cluster.workers)) {
    worker.exitedAfterDisconnect = true;
    worker.process.kill();
  }
}

function serve() {
  // One client, and so one connection pool, for the lifetime of a worker.
  const agent = { keepAlive: true, maxSockets: 50 };
  const client = new DynamoDBClient({ requestHandler: { httpAgent: agent, httpsAgent: agent } });
  createApp(DynamoDBDocumentClient.from(client)).listen(Number(values.port), "127.0.0.1");
}
