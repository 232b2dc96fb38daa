/**
 * The shop: Vendure on SQLite, on this machine alone. What makes it a guarded shop is the one line with `ShopwardPlugin`.
 */
'use strict';

process.env.VENDURE_DISABLE_TELEMETRY = 'true'; // before Vendure is loaded

const { randomBytes } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { DefaultJobQueuePlugin, DefaultLogger, DefaultSearchPlugin, dummyPaymentHandler, LogLevel } = require('@vendure/core');
const { ShopwardPlugin } = require('./shopward-plugin');

const DATA = process.env.SHOP_DATA ?? path.join(__dirname, 'data');
mkdirSync(DATA, { recursive: true, mode: 0o700 });

/** A secret that is made at the first start and stays. */
function secret(name) {
  const file = path.join(DATA, `${name}.secret`);
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

const { SHOPWARD_URL: url, SHOPWARD_KEY: key } = process.env; // without them it is a shop that nobody guards
const timeoutMs = Number(process.env.SHOPWARD_TIMEOUT_MS ?? 300);
const instruments = { 'store-credit': 'balance' };

module.exports.DATABASE = path.join(DATA, 'shop.sqlite');
module.exports.config = {
  apiOptions: {
    hostname: '127.0.0.1',
    port: Number(process.env.PORT ?? 3000),
    cors: false, // nothing but the shop's own pages calls it
    csrfPrevention: true,
    trustProxy: process.env.TRUSTED_PROXIES || false, // whose X-Forwarded-For is believed: 'loopback', '10.0.0.0/8', ...
  },
  authOptions: {
    tokenMethod: ['cookie', 'bearer'],
    cookieOptions: { secret: secret('cookies') },
    superadminCredentials: { identifier: 'superadmin', password: secret('superadmin') },
    requireVerification: false, // this shop sends no mail
  },
  dbConnectionOptions: { type: 'better-sqlite3', database: module.exports.DATABASE, synchronize: true },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  plugins: [
    DefaultJobQueuePlugin,
    DefaultSearchPlugin,
    ...(url ? [ShopwardPlugin.init({ url, key, tokenSecret: secret('tokens'), timeoutMs, instruments })] : []),
  ],
};
