// Node's ws as its own documentation broadcasts: every client that is open gets
// the message. One byte on the second port is one gift.
const http = require('node:http');
const net = require('node:net');
const WebSocket = require('ws');

const gift = process.env.GIFT;
const loopback = '127.0.0.1';

const teller = net.createServer((told) => {
  told.setNoDelay(true);
  told.on('data', (bytes) => {
    for (let gifts = bytes.length; gifts > 0; gifts -= 1) {
      const data = Buffer.from(gift);
      wss.clients.forEach((client) => {
        if (client.readyState === WebSocket.OPEN) {
          client.send(data, { binary: false });
        }
      });
    }
  });
});

const server = http.createServer();
const wss = new WebSocket.WebSocketServer({ server, perMessageDeflate: false });
wss.on('connection', (client) => {
  client.on('message', () => client.send('{"type":"connection:ack"}'));
});

teller.listen(0, loopback, () => {
  server.listen(0, loopback, () => {
    const at = (listener) => `${loopback}:${listener.address().port}`;
    console.log(`at ${at(server)}, told at ${at(teller)}`);
  });
});
