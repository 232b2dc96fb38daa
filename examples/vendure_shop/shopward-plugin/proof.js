/**
 * One more proof for a challenge, by Shopward's own factors: a code by mail, an authenticator app, a recovery code.
 *
 * A challenge belongs to one user on one device, and Shopward refuses anybody else's answer (`wrong_subject`); so the
 * caller, who may not be signed in yet, says whose login it was by `username`. Whether there is such an account does not
 * show: what is wrong is `success: false`, whatever it is. A code goes to the address of the account and nowhere else.
 */
'use strict';

const { Args, Mutation, Resolver } = require('@nestjs/graphql');
const { Ctx, TransactionalConnection, User, UserService } = require('@vendure/core');
const { parse } = require('graphql');

const proofSchema = parse(`
  extend type Mutation {
    "Send a code to the mail address of the account that was challenged"
    shopwardSendCode(decision: String!, username: String): Success!
    "Answer a challenge; then do again what was challenged"
    shopwardProve(decision: String!, factor: String!, answer: String!, username: String): Success!
  }
`);

function proofResolver(shopward) {
  class Proof {
    constructor(users, connection) {
      this.users = users;
      this.connection = connection;
    }

    async shopwardSendCode(ctx, { decision, username }) {
      const user = await this.userOf(ctx, username);
      return this.ask(ctx, decision, 'codes', user, { channel: 'email', to: user?.identifier });
    }

    async shopwardProve(ctx, { decision, factor, answer, username }) {
      return this.ask(ctx, decision, 'verify', await this.userOf(ctx, username), { factor, answer });
    }

    async userOf(ctx, username) {
      if (ctx.activeUserId) return this.connection.getRepository(ctx, User).findOneBy({ id: ctx.activeUserId });
      return username ? this.users.getUserByEmailAddress(ctx, username) : undefined;
    }

    async ask(ctx, decision, step, user, body) {
      if (!user || !/^[\w.:-]{1,130}$/.test(decision)) return { success: false };
      const who = { user: { id: String(user.id) }, context: { device_id: ctx.req.shopwardDevice } };
      const path = `/v1/challenges/${decision}/${step}`;
      const heard = await shopward.call('POST', path, { ...who, ...body }, ctx.languageCode, () => undefined);
      return { success: heard !== undefined };
    }
  }
  Reflect.defineMetadata('design:paramtypes', [UserService, TransactionalConnection], Proof);
  for (const name of ['shopwardSendCode', 'shopwardProve']) {
    const method = Object.getOwnPropertyDescriptor(Proof.prototype, name);
    Ctx()(Proof.prototype, name, 0);
    Args()(Proof.prototype, name, 1);
    Mutation()(Proof.prototype, name, method);
  }
  Resolver()(Proof);
  return Proof;
}

module.exports = { proofSchema, proofResolver };
