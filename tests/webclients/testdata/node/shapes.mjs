// The calls that each client makes, and how it reports them.
//
// A client is an object with an async function for each shape that it supports:
//
//   unary(name, text)      -> {message, header, trailer}
//   serverStream(number)   -> async iterable of messages
//   clientStream(texts)    -> message
//   bidi()                 -> {send(text), receive(), close()}
//
// They throw {code, message, details} with gRPC's number for the code and the number
// of details.
export async function run(client) {
  const say = await client.unary("Say", "Ada");
  console.log(`Say: ${say.message.text} [${say.header}, ${say.trailer}]`);
  try {
    await client.unary("Fail", "Ada");
    console.log("Fail: no error");
  } catch (e) {
    console.log(`Fail: ${text(e)}`);
  }
  if (client.serverStream) {
    console.log(`Count 3: ${await count(client, 3)}`);
    console.log(`Count 7: ${await count(client, 7)}`);
  }
  if (client.clientStream) {
    console.log(`Join: ${(await client.clientStream(["a", "b", "c"])).text}`);
  }
  if (client.bidi) {
    const chat = client.bidi();
    const answers = [];
    for (const text of ["a", "b"]) {
      // Each answer must come while the requests go on.
      await chat.send(text);
      answers.push((await chat.receive()).text);
    }
    await chat.close();
    answers.push(await chat.receive() === undefined ? "end" : "more");
    console.log(`Chat: ${answers.join(", ")}`);
  }
}

async function count(client, number) {
  const got = [];
  try {
    for await (const message of client.serverStream(number)) {
      got.push(message.text);
    }
  } catch (e) {
    got.push(text(e));
  }
  return got.join(" ");
}

function text(e) {
  return e.code === undefined ? `not a status: ${e.stack ?? e}` : `error ${e.code}, ${e.message}, ${e.details} details`;
}

// queue is an async iterable of what is pushed.
export function queue() {
  const items = [];
  let wake = () => {};
  let closed = false;
  return {
    push(item) { items.push(item); wake(); },
    close() { closed = true; wake(); },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (items.length > 0) yield items.shift();
        if (closed) return;
        await new Promise((resolve) => { wake = resolve; });
      }
    },
  };
}
