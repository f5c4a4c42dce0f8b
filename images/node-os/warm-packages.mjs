// Loads the daemon's npm packages once, so that they are in Node's compile
// cache (images/base/warm.mjs tells why). Lies next to node_modules: a bare
// name resolves from where the file is.

import 'dbus-native';
import 'etcd3';
import 'prom-client';
import 'zod';
import fastify from 'fastify';

// fastify loads its schema compilers only when a server gets ready.
const schema = { querystring: { type: 'object' }, response: { 200: { type: 'object' } } };
const server = fastify().get('/', { schema }, () => ({}));
await server.ready();
await server.close();
