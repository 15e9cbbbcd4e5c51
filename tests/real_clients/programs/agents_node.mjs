// @openai/agents-realtime in node.

import * as agents from "@openai/agents-realtime";
import { holdWithAgents } from "./agents.mjs";
import { complaints, KEY, PLAN, report, SERVER, SPEECH } from "./node.mjs";

const turns = await holdWithAgents(agents, { plan: PLAN, url: SERVER, apiKey: KEY, speech: SPEECH, complaints });
report({ name: "@openai/agents-realtime", package: "@openai/agents-realtime" }, turns);
