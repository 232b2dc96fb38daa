/**
 * Signing in with a password: Vendure's own way, told and asked about.
 *
 * (1) Vendure checks the password; (2) a wrong one is told, with `known` false where there is no such account; (3) of a
 * right one Shopward is asked, before there is a session. A denial looks like a wrong password and is not told as one. A
 * challenge is the text `challenge <decision> <factor>` in `authenticationError`, for the storefront to ask for the proof
 * (`proof.js`) and to sign in again.
 */
'use strict';

const { NativeAuthenticationStrategy } = require('@vendure/core');

class GuardedLogin extends NativeAuthenticationStrategy {
  constructor(shopward) {
    super();
    this.shopward = shopward;
  }

  async authenticate(ctx, data) {
    const user = await super.authenticate(ctx, data); // (1)
    const parts = { credential: { password_hmac: this.shopward.token('password', data.password) } };
    if (!user) {
      const meant = await this.userService.getUserByEmailAddress(ctx, data.username);
      parts.user = meant ? { id: String(meant.id) } : { known: false };
      await this.shopward.record(this.shopward.event('login', 'failed', ctx.req, parts)); // (2)
      return false;
    }
    parts.user = { id: String(user.id) };
    const event = this.shopward.event('login', 'succeeded', ctx.req, parts);
    const verdict = await this.shopward.decide(event, ctx.languageCode); // (3)
    if (verdict.mayProceed) return user;
    if (verdict.decision === 'deny') return false;
    return verdict.isFallback ? 'later' : `challenge ${verdict.id} ${verdict.factor ?? ''}`.trim();
  }
}

module.exports = { GuardedLogin };
