// SPDX-License-Identifier: Apache-2.0
// What Node's HTTP parser (llhttp, strict) makes of bytes: input and output as h1_oracle's.
'use strict';
const { HTTPParser, methods } = require('_http_common');
const lines = require('fs').readFileSync(0, 'latin1').split('\n');

const hex = (text) => Buffer.from(text, 'latin1').toString('hex');
const pairs = (flat) => {
  const fields = [];
  for (let i = 0; i < flat.length; i += 2) fields.push([hex(flat[i]), hex(flat[i + 1])]);
  return fields;
};

function read(isRequest, method, bytes) {
  const messages = [];
  const parser = new HTTPParser();
  let message = null;
  let batch = []; // fields and target may come before the head is complete
  let target = '';
  parser.initialize(isRequest ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, 1 << 20, 0);
  parser[HTTPParser.kOnHeaders] = (fields, url) => {
    batch = batch.concat(fields);
    target += url;
  };
  parser[HTTPParser.kOnHeadersComplete] = (major, minor, fields, methodNumber, url, status, reason, upgrade) => {
    message = {
      version: major * 10 + minor,
      status: status || 0,
      method: isRequest ? hex(methods[methodNumber]) : '',
      target: hex(url || target),
      fields: pairs(batch.concat(fields || [])),
      body: '',
    };
    batch = [];
    target = '';
    const isTunnel = !isRequest && method === 'CONNECT' && status >= 200 && status < 300;
    const isBodiless = !isRequest && method === 'HEAD';
    return isTunnel ? 2 : isBodiless ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (chunk, offset, length) => {
    message.body += (offset === undefined ? chunk : chunk.subarray(offset, offset + length)).toString('hex');
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    messages.push(message);
    batch = [];
    target = '';
  };
  const result = parser.execute(bytes);
  if (!(result instanceof Error)) parser.finish();
  return messages;
}

for (const line of lines) {
  if (!line) continue;
  const words = line.split(' ');
  const isRequest = words[0] === 'request';
  const bytes = Buffer.from(words[isRequest ? 1 : 2] || '', 'hex');
  console.log(JSON.stringify(read(isRequest, words[1], bytes)));
}
