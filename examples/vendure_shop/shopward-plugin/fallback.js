/**
 * What the shop does while Shopward is not heard, by event type or `type:instrument`; `*` is all that is not named.
 *
 * The same table as the Python SDK has (a test holds them together): what moves stored value, opens the way to it or shows
 * personal data asks for one more proof, all else goes on, so that an outage of ours is none of the shop's.
 */
'use strict';

const DEFAULTS = {
  ...Object.fromEntries(
    [
      'payment', 'wallet_transfer', 'withdrawal', 'gift_card_redeem', 'gift_card_check', 'points_redeem',
      'password_reset', 'email_change', 'phone_change', 'mfa_remove', 'payee_add', 'device_link', 'identity_link',
      'api_token_create', 'refund_request', 'pii_view', 'pii_search', 'pii_export', 'partner_pull',
    ].map((type) => [type, 'challenge']),
  ),
  'payment:card': 'allow',
};

/** A function from an event to a verdict; what the shop says of a type holds for every instrument that it does not name. */
function fallbackOf(given) {
  const table = { ...DEFAULTS, ...given };
  for (const name of Object.keys(DEFAULTS)) {
    if (name.includes(':') && given[name.split(':')[0]] && !given[name]) delete table[name];
  }
  return ({ type, transaction }) =>
    table[`${type}:${transaction?.instrument}`] ?? table[type] ?? table['*'] ?? 'allow';
}

module.exports = { DEFAULTS, fallbackOf };
