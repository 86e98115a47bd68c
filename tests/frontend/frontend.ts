// A frontend's first minute: sign in, write a run down, start it, and hear of it live.

import createClient from "openapi-fetch";
import WebSocket from "ws";

import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];
type Frame =
  | { frame: "hello"; session: string }
  | { frame: "subscribed"; topic: string; seq: number }
  | { frame: "event"; topic: string; seq: number; type: string; data: { state?: string } }
  | { frame: "ping" };

const [baseUrl, email, password] = process.argv.slice(2) as [string, string, string];
const api = createClient<paths>({ baseUrl });

function given<T>(answer: { data?: T; error?: Problem; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status}: ${answer.error?.code} ${answer.error?.detail}`);
  }
  return answer.data;
}

async function signIn(): Promise<void> {
  const refused = await api.POST("/api/v1/sign-in", { body: { email, password: "wrong" } });
  if (refused.error?.code !== "wrong_credentials") throw new Error("the wrong password was right");
  const tokens = given(await api.POST("/api/v1/sign-in", { body: { email, password } }));
  api.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${tokens.access_token}`);
      return request;
    },
  });
}

async function writeRunDown(): Promise<components["schemas"]["Run"]> {
  const made = given(await api.POST("/api/v1/projects", { body: { name: "digits" } }));
  const { items } = given(await api.GET("/api/v1/projects", { params: { query: { limit: 10 } } }));
  if (items[0]?.id !== made.id) throw new Error("the new project is not listed");
  const experiment = given(
    await api.POST("/api/v1/projects/{project_id}/experiments", {
      params: { path: { project_id: made.id } },
      body: { name: "rates", tags: { team: "vision" } },
    }),
  );
  return given(
    await api.POST("/api/v1/experiments/{experiment_id}/runs", {
      params: { path: { experiment_id: experiment.id } },
      body: { name: "first", spec: { script: { text: "print('hello')" } } },
    }),
  );
}

async function start(runId: string): Promise<void> {
  const answer = await api.POST("/api/v1/runs/{run_id}/start", {
    params: { path: { run_id: runId }, header: { "Idempotency-Key": "first start" } },
  });
  const intent = given(answer);
  const location = answer.response.headers.get("Location");
  if (location !== `/api/v1/intents/${intent.id}`) throw new Error(`it is followed at ${location}`);
}

async function listen(runId: string, act: () => Promise<void>): Promise<string[]> {
  const { ticket, url } = given(await api.POST("/api/v1/live/tickets"));
  const topic = `run:${runId}`;
  const heard: string[] = [];
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url}?ticket=${ticket}`);
    socket.on("error", reject);
    socket.on("close", (code) => reject(new Error(`closed with ${code}; heard ${heard}`)));
    socket.on("message", (raw) => {
      const frame = JSON.parse(String(raw)) as Frame;
      if (frame.frame === "hello") {
        heard.push("hello");
        socket.send(JSON.stringify({ frame: "subscribe", topics: { [topic]: {} } }));
      } else if (frame.frame === "subscribed") {
        act().catch(reject);
      } else if (frame.frame === "event" && frame.type === "run") {
        heard.push(String(frame.data.state));
        if (frame.data.state === "queued") {
          socket.removeAllListeners("close");
          socket.close();
          resolve(heard);
        }
      }
    });
  });
}

await signIn();
const run = await writeRunDown();
const heard = await listen(run.id, () => start(run.id));
const followed = given(
  await api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id: run.id } } }),
);
console.log(JSON.stringify({ heard, state: followed.state }));
