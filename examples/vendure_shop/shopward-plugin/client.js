/**
 * Asking Shopward over HTTP.
 *
 * Promise: no call throws or waits longer than `timeoutMs` twice. A connection that breaks and a 502, 503 or 504 are tried
 * once more, which decides nothing twice, since an event keeps its id. After three failures in a row the server is left
 * alone for two seconds. Where it is not heard, `decide` answers from the shop's table (fails as the table says). A fault is
 * logged once a minute by its name, with nothing of an event and no key.
 */
'use strict';

const { createHmac, randomBytes } = require('node:crypto');
const { Logger } = require('@vendure/core');
const { fallbackOf } = require('./fallback');

const FAILURES_MAX = 3;
const PAUSE_MS = 2_000;
const LOG_EVERY_MS = 60_000;
const AGAIN = new Set([502, 503, 504]);
const VERDICTS = new Set(['allow', 'review', 'challenge', 'deny']);

class Shopward {
  constructor({ url, key, tokenSecret, timeoutMs = 300, onUnreachable = {}, instruments = {} }) {
    this.url = url.replace(/\/+$/, '');
    this.key = key;
    this.tokenSecret = tokenSecret;
    this.timeoutMs = timeoutMs;
    this.instruments = instruments;
    this.fallback = fallbackOf(onUnreachable);
    this.failures = 0;
    this.pausedUntil = 0;
    this.logged = new Map();
  }

  /** An opaque token of a value that must not leave the shop: the same for the same value, however it is written. */
  token(kind, value) {
    const plain = String(value).trim().toLowerCase();
    return createHmac('sha256', this.tokenSecret).update(`${kind}\x1f${plain}`).digest('base64url').slice(0, 32);
  }

  /** An event of this request; `undefined` parts are left out of the JSON. */
  event(type, status, req, parts) {
    return {
      id: `v-${randomBytes(16).toString('hex')}`,
      type,
      status,
      time: new Date().toISOString(),
      context: contextOf(req),
      ...parts,
    };
  }

  /** What is to be done: `{ decision, mayProceed, id, factor }`, `isFallback` where the server was not heard. */
  async decide(event, language = 'en') {
    const heard = await this.call('POST', '/v1/decisions', event, language);
    if (heard && VERDICTS.has(heard.decision)) {
      const step = (heard.actions ?? []).find((action) => action.type === 'step_up');
      return { ...verdictOf(heard.decision), id: heard.id, factor: step?.factor, isFallback: false };
    }
    return { ...verdictOf(this.fallback(event)), isFallback: true };
  }

  /** Tell what happened; whether it is recorded. */
  async record(event) {
    return (await this.call('POST', '/v1/events', event)) !== undefined;
  }

  /** The JSON of an answer; `undefined` where there is none to go by. `refused` is told of a 4xx. */
  async call(method, path, body, language = 'en', refused = undefined) {
    if (Date.now() < this.pausedUntil) return this.fault('paused');
    for (const isLast of [false, true]) {
      try {
        const answer = await fetch(this.url + path, {
          method,
          body: JSON.stringify(body),
          headers: {
            authorization: `Bearer ${this.key}`,
            'content-type': 'application/json',
            'accept-language': language,
          },
          signal: AbortSignal.timeout(this.timeoutMs),
        });
        if (!AGAIN.has(answer.status)) {
          this.failures = 0;
          const heard = await answer.json();
          if (answer.ok) return heard;
          return refused ? refused(heard) : this.fault(heard.code ?? `http_${answer.status}`, heard.path);
        }
        if (isLast) return this.failed('unavailable');
      } catch (error) {
        if (error.name === 'TimeoutError') return this.failed('timeout');
        if (isLast) return this.failed('unreachable');
      }
    }
  }

  failed(fault) {
    this.failures += 1;
    if (this.failures >= FAILURES_MAX) {
      this.failures = 0;
      this.pausedUntil = Date.now() + PAUSE_MS;
    }
    return this.fault(fault);
  }

  fault(code, path = '') {
    const now = Date.now();
    if (now - (this.logged.get(code) ?? 0) > LOG_EVERY_MS) {
      this.logged.set(code, now);
      Logger.warn(`not heard: ${code} ${path}`.trim(), 'Shopward');
    }
    return undefined;
  }
}

function verdictOf(decision) {
  return { decision, mayProceed: decision === 'allow' || decision === 'review' };
}

/** `req.ip` is the customer's where the shop has told Vendure which proxies are its own (`apiOptions.trustProxy`). */
function contextOf(req) {
  return {
    ip: (req.ip ?? '').replace(/^::ffff:/, '') || undefined,
    user_agent: req.get('user-agent')?.slice(0, 1024),
    language: /^[a-z-]{2,35}/i.exec(req.get('accept-language') ?? '')?.[0].toLowerCase(),
    device_id: req.shopwardDevice,
  };
}

module.exports = { Shopward };
