/**
 * Which mutations of the Shop API are guarded, and what each of them is to Shopward.
 *
 * A guard: `type` of the event; `about` what it is about (arguments, client, order); `worked` whether the result says that
 * it was done; `done` its status then (`succeeded` where it is left out); `order` where the open order is needed.
 */
'use strict';

const { isGraphQlErrorResult } = require('@vendure/core');

const changed = (field, token) => ({ changes: [{ field, new_token: token }] });
const success = (result) => result?.success === true;

const GUARDS = {
  updateCustomerPassword: { type: 'password_change', about: () => changed('password'), worked: success },
  requestUpdateCustomerEmailAddress: {
    type: 'email_change',
    about: (args, shopward) => changed('email', shopward.token('email', args.newEmailAddress)),
    worked: success,
    done: (shopward) => (shopward.mailIsVerified ? 'requested' : 'succeeded'),
  },
  updateCustomerEmailAddress: { type: 'email_change', about: () => changed('email'), worked: success },
  createCustomerAddress: { type: 'address_add', about: address('address'), worked: Boolean },
  updateCustomerAddress: { type: 'address_change', about: address('address'), worked: Boolean },
  setOrderShippingAddress: { type: 'address_change', about: address('order_address'), worked: hasNoError },
  requestPasswordReset: {
    type: 'password_reset_request',
    asked: 'requested',
    about: (args, shopward) => ({ user: { tokens: { email: shopward.token('email', args.emailAddress) } } }),
    worked: success,
    done: () => undefined, // asking is all there is to it
  },
  applyCouponCode: {
    type: 'gift_card_check',
    about: (args, shopward) => ({
      transaction: { instrument: 'gift_card', instrument_id: shopward.token('code', args.couponCode) },
    }),
    worked: hasNoError,
  },
  addPaymentToOrder: {
    type: 'payment',
    order: true,
    about: (args, shopward, order) => ({
      transaction: {
        id: order.code,
        amount_minor: minorUnits(order.totalWithTax, order.currencyCode),
        currency: order.currencyCode,
        instrument: shopward.instruments[args.input.method] ?? 'card',
      },
    }),
    worked: hasNoError,
  },
};

function address(field) {
  return (args, shopward) => {
    const { streetLine1 = '', streetLine2 = '', city = '', postalCode = '', countryCode = '' } = args.input;
    return changed(field, shopward.token('address', [streetLine1, streetLine2, city, postalCode, countryCode].join('\x1f')));
  };
}

/** Declined payments, wrong coupons and the like are results of their own in the Shop API, and no exceptions. */
function hasNoError(result) {
  return Boolean(result) && !isGraphQlErrorResult(result);
}

/** Vendure keeps two digits for every currency; ISO 4217 does not. */
function minorUnits(amount, currency) {
  const { maximumFractionDigits } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  return Math.round(amount * 10 ** (maximumFractionDigits - 2));
}

module.exports = { GUARDS, minorUnits };
