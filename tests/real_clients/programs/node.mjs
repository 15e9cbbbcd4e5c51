// What every client program in node shares. Run: node PROGRAM URL FILE, where the file is speech as pcm16 at 24,000 Hz.
// A program holds the conversation of plan.json, prints one line of JSON about what it heard, and ends with status 0.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const PLAN = JSON.parse(readFileSync(new URL("../plan.json", import.meta.url), "utf8"));
export const SERVER = process.argv[2];
export const BASE_URL = SERVER.replace(/^ws/, "http").replace(/\/realtime.*$/, "");
export const SPEECH = readFileSync(process.argv[3]);
export const KEY = "sk-rehearsal";

export const complaints = [];

/** Prints the report, and ends. */
export function report(client, turns) {
  const places = createRequire(import.meta.url).resolve.paths(client.package).map((folder) => `${folder}/${client.package}`);
  const manifest = `${places.find(existsSync)}/package.json`;
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  console.log(JSON.stringify({ client: client.name, version, turns, complaints }));
  process.exit(0);
}
