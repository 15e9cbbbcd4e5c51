// The conversation of plan.json, for clients in node and in browsers that leave tools and interruptions to the application.

const RATE = 24_000;
const CHUNK_MS = 40;
const PATIENCE = 30_000; // milliseconds that a turn may take
const now = () => performance.now();
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

export const milliseconds = (bytes) => (bytes / 2 / RATE) * 1000;

/** The speech, in the time that it takes to say it. */
export async function* microphone(speech) {
  const began = now();
  const size = ((RATE * CHUNK_MS) / 1000) * 2;
  for (let number = 1, start = 0; start < speech.length; number++, start += size) {
    yield speech.subarray(start, start + size);
    await sleep(Math.max(0, began + number * CHUNK_MS - now()));
  }
}

/** How much of the newest item was played: audio plays as it comes, in the time that it takes. */
export class Loudspeaker {
  item = null;
  receivedMs = 0;
  began = 0;

  write(item, bytes) {
    if (item !== this.item) [this.item, this.receivedMs, this.began] = [item, 0, now()];
    this.receivedMs += milliseconds(bytes);
  }

  get playedMs() {
    return this.item === null ? 0 : Math.floor(Math.min(this.receivedMs, now() - this.began));
  }

  get playing() {
    return this.item !== null && this.playedMs < Math.floor(this.receivedMs);
  }

  /** Waits until so much of the newest item was played. */
  async play(wanted) {
    const deadline = now() + PATIENCE;
    while (this.playedMs < wanted) {
      if (now() > deadline) throw new Error(`only ${this.playedMs} ms were played`);
      await sleep(20);
    }
  }

  /** Waits until all that came was played. */
  async finish() {
    while (this.playing) await sleep(20);
  }
}

/** A queue whose readers lose patience. */
export class Queue {
  #items = [];
  #wake = null;

  put(item) {
    this.#items.push(item);
    this.#wake?.();
  }

  async get() {
    const deadline = now() + PATIENCE;
    while (!this.#items.length) {
      if (now() > deadline) throw new Error("nothing has come");
      await Promise.race([new Promise((resolve) => (this.#wake = resolve)), sleep(200)]);
    }
    return this.#items.shift();
  }
}

/**
 * An application on top of a plain connection. `send` has four functions: item(item), respond(), append(base64) and
 * truncate(item, milliseconds). What comes is told to the methods in the middle.
 */
export class Talk {
  row = {};
  speaker = new Loudspeaker();
  #send;
  #ends = new Queue();
  #said = {};
  #audioMs = {};
  #answering = false;

  constructor(send) {
    this.#send = send;
  }

  created() {
    this.#answering = true;
  }

  audio(item, response, bytes) {
    this.speaker.write(item, bytes);
    this.#audioMs[response] = (this.#audioMs[response] ?? 0) + milliseconds(bytes);
  }

  text(response, delta) {
    this.#said[response] = (this.#said[response] ?? "") + delta;
  }

  heard(transcript) {
    this.row.heard = transcript;
  }

  speechStarted() {
    const { item, playedMs, playing } = this.speaker;
    if (item !== null && (this.#answering || playing)) {
      this.row.interrupted = true;
      this.#send.truncate(item, playedMs);
    }
    this.speaker.item = null;
  }

  done(response) {
    this.#answering = false;
    this.#ends.put(response);
  }

  #write(text) {
    this.#send.item({ type: "message", role: "user", text });
    this.#send.respond();
  }

  async #speak(speech) {
    for await (const chunk of microphone(speech)) {
      let characters = "";
      for (const byte of chunk) characters += String.fromCharCode(byte);
      this.#send.append(btoa(characters));
    }
  }

  /** The end of the next response, when it was played; its transcript and audio are in the row. */
  async #answer() {
    const response = await this.#ends.get();
    if (response.id in this.#said)
      Object.assign(this.row, { said: this.#said[response.id], audio_ms: Math.round(this.#audioMs[response.id]) });
    await this.speaker.finish();
    return response;
  }

  /** The five turns. Returns what was heard in each. */
  async hold(plan, speech) {
    const turns = {};
    const turn = (name) => (this.row = turns[name] = {});

    turn("text");
    this.#write(plan.ask.text);
    await this.#answer();

    turn("speech");
    await this.#speak(speech);
    await this.#answer();

    turn("tool");
    this.#write(plan.ask.tool);
    const [call] = (await this.#answer()).output;
    Object.assign(this.row, { called: call.name, arguments: JSON.parse(call.arguments) });
    this.#send.item({ type: "function_call_output", call_id: call.call_id, output: plan.tool.result });
    this.#send.respond();
    await this.#answer();

    turn("interruption");
    this.speaker.item = null;
    this.#write(plan.ask.interruption);
    await this.speaker.play(plan.speak_after_ms);
    await this.#speak(speech);
    await this.#answer();
    await this.#answer();

    turn("error");
    this.#write(plan.ask.error);
    this.row.code = (await this.#answer()).status_details.error.code;
    return turns;
  }
}

/** The tool as the session names it. */
export const toolOf = (plan) => ({
  type: "function",
  name: plan.tool.name,
  description: plan.tool.description,
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
});

/** The item of a conversation.item.create. */
export const wireItem = (item) =>
  item.type === "message" ? { type: "message", role: "user", content: [{ type: "input_text", text: item.text }] } : item;

/** The session of a client that writes it as OpenAI reads it. */
export function sessionOf(plan) {
  const format = { type: "audio/pcm", rate: RATE };
  const input = { format, transcription: { model: "gpt-4o-mini-transcribe" }, turn_detection: { type: "server_vad" } };
  return { type: "realtime", instructions: plan.instructions, tools: [toolOf(plan)], audio: { input, output: { format } } };
}

/** A server's event as OpenAI writes it, told to a Talk. */
export function tell(talk, event, complain) {
  switch (event.type) {
    case "response.created":
      return talk.created();
    case "response.output_audio.delta":
      return talk.audio(event.item_id, event.response_id, atob(event.delta).length);
    case "response.output_audio_transcript.delta":
      return talk.text(event.response_id, event.delta);
    case "input_audio_buffer.speech_started":
      return talk.speechStarted();
    case "conversation.item.input_audio_transcription.completed":
      return talk.heard(event.transcript);
    case "response.done":
      return talk.done(event.response);
    case "error":
      return complain(`${event.error.code}: ${event.error.message}`);
  }
}
