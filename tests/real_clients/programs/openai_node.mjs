// The openai package for node: its connection, which insists on TLS; tools and interruptions are the application's.

import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { sessionOf, Talk, tell, wireItem } from "./conversation.mjs";
import { BASE_URL, complaints, KEY, PLAN, report, SPEECH } from "./node.mjs";

const client = new OpenAI({ apiKey: KEY, baseURL: BASE_URL });
const connection = await OpenAIRealtimeWS.create(client, { model: PLAN.model });
await new Promise((resolve, reject) => {
  connection.socket.on("open", resolve);
  connection.socket.on("error", reject);
});
const talk = new Talk({
  item: (item) => connection.send({ type: "conversation.item.create", item: wireItem(item) }),
  respond: () => connection.send({ type: "response.create" }),
  append: (audio) => connection.send({ type: "input_audio_buffer.append", audio }),
  truncate: (item_id, audio_end_ms) =>
    connection.send({ type: "conversation.item.truncate", item_id, content_index: 0, audio_end_ms }),
});
connection.on("event", (event) => event.type !== "error" && tell(talk, event));
connection.on("error", (error) => complaints.push(error.message));
connection.send({ type: "session.update", session: sessionOf(PLAN) });
const turns = await talk.hold(PLAN, SPEECH);
connection.close();
report({ name: "openai (node)", package: "openai" }, turns);
