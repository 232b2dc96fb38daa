/**
 * The one place where mutations of the Shop API are stopped: before the resolver runs, and so before its transaction.
 *
 * The story of a guarded mutation: (1) Shopward is asked, with status `attempted`; (2) what it stops is answered with a
 * `Stopped`, and is never told as a failure: our own denials must not feed the score; (3) the mutation runs; (4) how it
 * went is told. Several mutations in one request are guarded one by one.
 */
'use strict';

const { GqlExecutionContext } = require('@nestjs/graphql');
const { internal_getRequestContext } = require('@vendure/core');
const { catchError, from, switchMap, throwError } = require('rxjs');
const { GUARDS } = require('./guards');
const { Stopped } = require('./stopped');

class Guard {
  constructor(shopward, orders) {
    this.shopward = shopward;
    this.orders = orders;
  }

  intercept(context, next) {
    const guarded = context.getType() === 'graphql' ? this.guarded(context) : undefined;
    if (!guarded) return next.handle();
    return from(this.ask(guarded)).pipe(
      switchMap((told) =>
        next.handle().pipe(
          switchMap(async (handled) => {
            const result = await handled; // Vendure's own transaction hands a promise through
            await this.tell(guarded, told, guarded.guard.worked(result));
            return result;
          }),
          catchError((error) => from(this.tell(guarded, told, false)).pipe(switchMap(() => throwError(() => error)))),
        ),
      ),
    );
  }

  guarded(context) {
    const graphql = GqlExecutionContext.create(context);
    const info = graphql.getInfo();
    if (info?.parentType?.name !== 'Mutation' || !Object.hasOwn(GUARDS, info.fieldName)) return undefined;
    const ctx = internal_getRequestContext(graphql.getContext().req, context);
    if (ctx?.apiType !== 'shop') return undefined;
    return { guard: GUARDS[info.fieldName], args: graphql.getArgs(), ctx };
  }

  /** What the event is about, once it may go on (1, 2). */
  async ask({ guard, args, ctx }) {
    const order = guard.order ? await this.orders.getActiveOrder(ctx, undefined) : undefined;
    if (guard.order && !order) return undefined; // Vendure itself answers that there is no order
    const about = { ...sessionOf(ctx, this.shopward), ...guard.about(args, this.shopward, order) };
    about.user ??= userOf(ctx, order, this.shopward);
    const event = this.shopward.event(guard.type, guard.asked ?? 'attempted', ctx.req, about);
    const verdict = await this.shopward.decide(event, ctx.languageCode);
    if (!verdict.mayProceed) throw new Stopped(verdict);
    return about;
  }

  /** How it went (4). */
  async tell({ guard, ctx }, about, worked) {
    const status = worked ? (guard.done ? guard.done(this.shopward) : 'succeeded') : 'failed';
    if (about && status) await this.shopward.record(this.shopward.event(guard.type, status, ctx.req, about));
  }
}

function sessionOf(ctx, shopward) {
  return ctx.session ? { session: { id: shopward.token('session', ctx.session.token) } } : {};
}

/** A guest is known by the address of the mail on the order, else by the browser. */
function userOf(ctx, order, shopward) {
  if (ctx.activeUserId) return { id: String(ctx.activeUserId) };
  const mail = order?.customer?.emailAddress;
  const guest = mail ? shopward.token('email', mail) : ctx.req.shopwardDevice;
  return guest ? { id: `guest-${guest}`, known: false } : undefined;
}

module.exports = { Guard };
