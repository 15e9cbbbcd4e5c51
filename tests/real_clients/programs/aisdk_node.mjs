// @ai-sdk/openai: its realtime model says where to connect, and translates events; the socket is the application's (ws).

import { createOpenAI } from "@ai-sdk/openai";
import WebSocket from "ws";
import { Talk, toolOf } from "./conversation.mjs";
import { BASE_URL, complaints, KEY, PLAN, report, SPEECH } from "./node.mjs";

const model = createOpenAI({ apiKey: KEY, baseURL: BASE_URL }).experimental_realtime(PLAN.model, { api: "realtime" });
const { url, headers } = await model.getServerWebSocketConfig();
const socket = new WebSocket(url, { headers });
await new Promise((resolve, reject) => {
  socket.on("open", resolve);
  socket.on("error", reject);
});
const send = (event) => socket.send(JSON.stringify(model.serializeClientEvent(event)));
const itemOf = ({ type, text, call_id, output }) =>
  type === "message"
    ? { type: "text-message", role: "user", text }
    : { type: "function-call-output", callId: call_id, output };
const talk = new Talk({
  item: (item) => send({ type: "conversation-item-create", item: itemOf(item) }),
  respond: () => send({ type: "response-create" }),
  append: (audio) => send({ type: "input-audio-append", audio }),
  truncate: (itemId, audioEndMs) => send({ type: "conversation-item-truncate", itemId, contentIndex: 0, audioEndMs }),
});
socket.on("message", (data) => {
  const event = model.parseServerEvent(JSON.parse(data.toString()));
  switch (event.type) {
    case "response-created":
      return talk.created();
    case "audio-delta":
      return talk.audio(event.itemId, event.responseId, atob(event.delta).length);
    case "audio-transcript-delta":
      return talk.text(event.responseId, event.delta);
    case "speech-started":
      return talk.speechStarted();
    case "input-transcription-completed":
      return talk.heard(event.transcript);
    case "response-done":
      return talk.done(event.raw.response);
    case "error":
      return complaints.push(`${event.code}: ${event.message}`);
  }
});
const format = { type: "audio/pcm", rate: 24_000 };
send({
  type: "session-update",
  config: {
    instructions: PLAN.instructions,
    tools: [toolOf(PLAN)],
    inputAudioFormat: format,
    outputAudioFormat: format,
    inputAudioTranscription: { model: "gpt-4o-mini-transcribe" },
    turnDetection: { type: "server-vad" },
  },
});
const turns = await talk.hold(PLAN, SPEECH);
socket.close();
report({ name: "@ai-sdk/openai", package: "@ai-sdk/openai" }, turns);
