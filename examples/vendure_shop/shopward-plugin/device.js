/**
 * A cookie of the shop's own that says which browser it is: 128 random bits, for two years, readable by no script.
 *
 * It identifies a browser and nobody; it is set at the first call of the Shop API. A browser that refuses cookies has no
 * device, and rules about devices say nothing of it.
 */
'use strict';

const { randomBytes } = require('node:crypto');

const NAME = 'shop_device';
const TWO_YEARS_S = 63_072_000;

function deviceCookie(req, res, next) {
  const known = new RegExp(`(?:^|;\\s*)${NAME}=([0-9a-f]{32})(?:;|$)`).exec(req.headers.cookie ?? '');
  req.shopwardDevice = known?.[1] ?? randomBytes(16).toString('hex');
  if (!known) {
    const secure = req.secure ? '; Secure' : '';
    res.append(
      'Set-Cookie',
      `${NAME}=${req.shopwardDevice}; Path=/; Max-Age=${TWO_YEARS_S}; HttpOnly; SameSite=Lax${secure}`,
    );
  }
  next();
}

module.exports = { deviceCookie };
