// The clients of JavaScript against some servers; prints what each case got as a line of JSON.
//
//     node cases.mjs MODEL KEY=URL ...
//
// All cases ask the first server, then all ask the next; each has a credential of its own, KEY-CASE.

import Anthropic from "@anthropic-ai/sdk";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, streamText, tool } from "ai";
import OpenAI from "openai";
import { z } from "zod";

const [model, ...servers] = process.argv.slice(2);
// Between two servers: an answer is stored just after the client has it.
const STORED_MS = 1000;
let url = "";
const question = [{ role: "user", content: "What is the capital of France?" }];
const failing = (status) => [{ role: "user", content: `Please fail with ${status}.` }];
const schema = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
};
const tools = [{ type: "function", function: { name: "find_person", parameters: schema } }];

const openai = (key) => new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
const anthropic = (key) => new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
const compatible = (key) =>
  createOpenAICompatible({ name: "router", baseURL: `${url}/v1`, apiKey: key, includeUsage: true })(model);

const all = async (stream) => {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
};

const cases = {
  openai_answer: (key) => openai(key).chat.completions.create({ model, messages: question }),
  openai_stream: async (key) =>
    all(await openai(key).chat.completions.create({ model, messages: question, stream: true })),
  openai_tool_call: (key) => openai(key).chat.completions.create({ model, messages: question, tools }),
  openai_tool_stream: async (key) =>
    all(await openai(key).chat.completions.create({ model, messages: question, tools, stream: true })),
  openai_response: (key) => openai(key).responses.create({ model, input: "Hi", store: false }),
  openai_response_stream: async (key) =>
    all(await openai(key).responses.create({ model, input: "Hi", stream: true, store: false })),
  openai_completion: (key) => openai(key).completions.create({ model, prompt: "The capital is" }),
  openai_embedding: (key) => openai(key).embeddings.create({ model, input: ["Hello", "Goodbye"] }),
  openai_refused: (key) => openai(key).chat.completions.create({ model, messages: failing(400) }),
  openai_rate_limited: (key) => openai(key).chat.completions.create({ model, messages: failing(429) }),
  openai_unknown_model: (key) =>
    openai(key).chat.completions.create({ model: "nobody", messages: question }),

  anthropic_answer: (key) =>
    anthropic(key).messages.create({ model, max_tokens: 100, messages: question }),
  anthropic_events: async (key) =>
    all(await anthropic(key).messages.create({ model, max_tokens: 100, messages: question, stream: true })),
  anthropic_tool_use: (key) =>
    anthropic(key).messages.create({
      model, max_tokens: 100, messages: question, tools: [{ name: "find_person", input_schema: schema }],
    }),
  anthropic_stream_helper: (key) =>
    anthropic(key).messages.stream({ model, max_tokens: 100, messages: question }).finalMessage(),
  anthropic_count: (key) => anthropic(key).messages.countTokens({ model, messages: question }),
  anthropic_refused: (key) =>
    anthropic(key).messages.create({ model, max_tokens: 100, messages: failing(400) }),

  ai_text: async (key) => {
    const made = await generateText({ model: compatible(key), prompt: "Hi", maxRetries: 0 });
    return [made.text, made.finishReason, made.usage];
  },
  ai_stream: async (key) => {
    const made = streamText({ model: compatible(key), prompt: "Hi", maxRetries: 0 });
    return [await all(made.textStream), await made.finishReason, await made.usage];
  },
  ai_object: async (key) => {
    const person = z.object({ name: z.string(), age: z.number() });
    const made = await generateObject({ model: compatible(key), schema: person, prompt: "Who?", maxRetries: 0 });
    return made.object;
  },
  ai_tool: async (key) => {
    const find = tool({ description: "Finds somebody.", inputSchema: z.object({ name: z.string() }) });
    const made = await generateText({ model: compatible(key), prompt: "Hi", tools: { find }, maxRetries: 0 });
    return made.toolCalls.map((call) => [call.toolName, call.input]);
  },
  ai_refused: async (key) => {
    const made = await generateText({ model: compatible(key), messages: failing(400), maxRetries: 0 });
    return made.text;
  },
};

const outcomeOf = (asked) =>
  asked.then(
    (value) => ({ value: JSON.parse(JSON.stringify(value ?? null)) }),
    (error) => ({
      error: error.constructor.name,
      status: error.status ?? error.statusCode ?? null,
      body: error.error ?? error.responseBody ?? null,
      text: String(error.message),
    }),
  );

for (const [turn, server] of servers.entries()) {
  const cut = server.indexOf("=");
  url = server.slice(cut + 1);
  if (turn > 0) await new Promise((resolve) => setTimeout(resolve, STORED_MS));
  for (const [name, ask] of Object.entries(cases)) {
    const outcome = await outcomeOf(ask(`${server.slice(0, cut)}-${name}`));
    console.log(JSON.stringify({ turn, case: name, ...outcome }));
  }
}
