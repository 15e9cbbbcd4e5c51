// The conversation with a RealtimeSession of @openai/agents-realtime over a WebSocket, in node and in a page. It runs the tool, and
// truncates what was cut off, by itself.

import { Loudspeaker, microphone, milliseconds, Queue, toolOf } from "./conversation.mjs";

const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

export async function holdWithAgents(agents, { plan, url, apiKey, speech, complaints }) {
  const speaker = new Loudspeaker();
  const done = new Queue();
  const known = new Set(); // items of earlier turns
  const turns = {};
  let row = {};

  const weather = agents.tool({
    ...toolOf(plan),
    parameters: { ...toolOf(plan).parameters, additionalProperties: false },
    execute: async ({ city }) => {
      Object.assign(row, { called: plan.tool.name, arguments: { city } });
      return plan.tool.result;
    },
  });
  const agent = new agents.RealtimeAgent({ name: "Assistant", instructions: plan.instructions, tools: [weather] });
  const session = new agents.RealtimeSession(agent, { transport: "websocket", model: plan.model, tracingDisabled: true });
  session.on("audio", (event) => {
    speaker.write(event.responseId, event.data.byteLength);
    row.audio_ms = (row.audio_ms ?? 0) + Math.round(milliseconds(event.data.byteLength));
  });
  session.on("audio_interrupted", () => {
    // The session says so whenever the user speaks; it is an interruption while audio still plays.
    if (speaker.playing) Object.assign(row, { interrupted: true, audio_ms: 0 });
    speaker.item = null;
  });
  session.on("transport_event", (event) => event.type === "response.done" && done.put(event.response));
  session.on("error", ({ error }) => complaints.push(JSON.stringify(error)));

  /** The end of an answer, when it was played. What the history has of this turn is in the row. */
  async function answer(responses = 1) {
    let response;
    for (; responses; responses--) response = await done.get();
    await speaker.finish();
    await sleep(300); // for what the session still asks for: an item whose transcript has come
    for (const item of session.history) {
      if (item.type === "message" && !known.has(item.itemId))
        for (const { transcript } of item.content)
          if (transcript) row[item.role === "user" ? "heard" : "said"] = transcript;
    }
    return response;
  }

  function turn(name) {
    for (const item of session.history) known.add(item.itemId);
    row = turns[name] = {};
  }

  async function speak() {
    for await (const chunk of microphone(speech))
      session.sendAudio(chunk.buffer.slice(chunk.byteOffset, chunk.byteOffset + chunk.byteLength));
  }

  await session.connect({ apiKey, url });

  turn("text");
  session.sendMessage(plan.ask.text);
  await answer();

  turn("speech");
  await speak();
  await answer();

  turn("tool");
  session.sendMessage(plan.ask.tool);
  await answer(2);

  turn("interruption");
  speaker.item = null;
  session.sendMessage(plan.ask.interruption);
  await speaker.play(plan.speak_after_ms);
  await speak();
  await answer(2);

  turn("error");
  session.sendMessage(plan.ask.error);
  row.code = (await answer()).status_details.error.code;
  session.close();
  return turns;
}
