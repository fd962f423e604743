import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { RunningGateway } from './gateway.js';
import { portProblem } from './loopback-listener.js';

/**
 * The control port: JSON over HTTP on loopback, for tests and people. GET /truth, GET /events?since=N, and POST for faults and manual
 * trades. Every error says what to do.
 */

const BODY_BYTES_MAX = 64 * 1024;

class BadRequest extends Error {}

type Body = Readonly<Record<string, unknown>>;
type Action = (gateway: RunningGateway, body: Body) => unknown;

function numberIn(body: Body, key: string, { min, whole }: { readonly min: number; readonly whole: boolean }): number {
  const value = body[key];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || (whole && !Number.isInteger(value))) {
    throw new BadRequest(`"${key}" must be a ${whole ? 'whole ' : ''}number of at least ${min}, got ${JSON.stringify(value) ?? 'nothing'}`);
  }
  return value;
}

const optionalWhole = (body: Body, key: string): number | undefined =>
  body[key] === undefined ? undefined : numberIn(body, key, { min: 0, whole: true });
const milliseconds = (body: Body): number => numberIn(body, 'ms', { min: 0, whole: false });

function sideIn(body: Body): 'BUY' | 'SELL' {
  const { side } = body;
  if (side === 'BUY' || side === 'SELL') return side;
  throw new BadRequest(`"side" must be "BUY" or "SELL", got ${JSON.stringify(side) ?? 'nothing'}`);
}

function symbolIn(gateway: RunningGateway, body: Body): string {
  const symbols = gateway.exchange.instruments.map(instrument => instrument.symbol);
  const symbol = String(body.symbol ?? '').toUpperCase();
  if (!symbols.includes(symbol))
    throw new BadRequest(`"symbol" must be one of ${symbols.join(', ')}, got ${JSON.stringify(body.symbol) ?? 'nothing'}`);
  return symbol;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  '/manual-trade': (gateway, body) => {
    const symbol = symbolIn(gateway, body);
    return { order: gateway.manualTrade(symbol, sideIn(body), numberIn(body, 'quantity', { min: 1, whole: true })) };
  },
  '/drop': (gateway, body) => ({ dropped: gateway.drop(optionalWhole(body, 'clientId')) }),
  '/outage': (gateway, body) => {
    gateway.outage(milliseconds(body));
    return {};
  },
  '/restart': (gateway, body) => {
    gateway.restart(milliseconds(body), optionalWhole(body, 'rollbackIds') ?? 0);
    return {};
  },
  '/hold-orders': (gateway, body) => {
    gateway.holdOrders(milliseconds(body));
    return {};
  },
  '/speed': (gateway, body) => {
    gateway.setSpeed(numberIn(body, 'speed', { min: 0.001, whole: false }));
    return {};
  },
};

const READS = ['/truth', '/events?since=N'];
const known = (): string => `GET ${READS.join(', ')}; POST ${[...Object.keys(ACTIONS), '/shutdown'].join(', ')}`;

export interface ControlPort {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on loopback. Rejects when the port is taken. */
export function startControl(gateway: RunningGateway, port: number): Promise<ControlPort> {
  const server = createServer((request, response) => {
    answer(gateway, request).then(
      ({ status, body }) => reply(response, status, body),
      problem =>
        reply(response, problem instanceof BadRequest ? 400 : 500, {
          ok: false,
          error: problem instanceof Error ? problem.message : String(problem),
        }),
    );
  });
  const close = (): Promise<void> =>
    new Promise(resolve => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return new Promise((resolve, reject) => {
    server.once('error', problem => reject(new Error(portProblem(problem, port, 'control port'))));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({ port: typeof address === 'object' && address ? address.port : port, close });
    });
  });
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(gateway: RunningGateway, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (request.method === 'GET' && url.pathname === '/truth') return { status: 200, body: gateway.truth() };
  if (request.method === 'GET' && url.pathname === '/events') {
    const since = Number(url.searchParams.get('since') ?? 0);
    if (!Number.isInteger(since) || since < 0)
      throw new BadRequest(`"since" must be a sequence number of 0 or more, got ${url.searchParams.get('since')}`);
    return { status: 200, body: { events: gateway.events(since) } };
  }
  if (request.method === 'POST' && url.pathname === '/shutdown') {
    // After the answer has left, or the caller would see a broken connection.
    setTimeout(() => void gateway.close(), 20);
    return { status: 200, body: { ok: true } };
  }
  const action = request.method === 'POST' ? ACTIONS[url.pathname] : undefined;
  if (!action) return { status: 404, body: { ok: false, error: `nothing at ${request.method} ${url.pathname}; there are: ${known()}` } };
  return { status: 200, body: { ok: true, ...Object(action(gateway, await bodyOf(request))) } };
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_BYTES_MAX) throw new BadRequest(`the body is larger than ${BODY_BYTES_MAX} bytes`);
  }
  if (text.trim() === '') return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (problem) {
    throw new BadRequest(`the body is not JSON: ${problem instanceof Error ? problem.message : String(problem)}`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new BadRequest('the body must be a JSON object');
  return body as Body;
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
