/** What the shop sells and who buys there; all made up. Passwords are for this example alone. */
'use strict';

const { CustomerService, LanguageCode, PromotionService, RequestContextService, User, TransactionalConnection } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const path = require('node:path');

const CUSTOMERS = Number(process.env.SHOP_CUSTOMERS ?? 12);
const COUPONS = ['HEMAT10', 'PAKET20', 'KOPI30'];
const INITIAL = {
  defaultLanguage: LanguageCode.en,
  defaultZone: 'Asia',
  countries: [{ name: 'Indonesia', code: 'ID', zone: 'Asia' }, { name: 'China', code: 'CN', zone: 'Asia' }],
  taxRates: [{ name: 'Standard Tax', percentage: 11 }],
  shippingMethods: [{ name: 'Courier', price: 1_500_000 }],
  paymentMethods: ['Card', 'Store credit'].map((name) => ({
    name,
    handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] },
  })),
  collections: [],
};

async function fill(app) {
  await populate(async () => app, INITIAL, path.join(__dirname, 'products.csv'));
  const connection = app.get(TransactionalConnection);
  const user = await connection.rawConnection.getRepository(User).findOneByOrFail({ identifier: 'superadmin' });
  const ctx = await app.get(RequestContextService).create({ apiType: 'admin', user });
  for (const couponCode of COUPONS) {
    await app.get(PromotionService).createPromotion(ctx, {
      enabled: true,
      couponCode,
      conditions: [],
      actions: [{ code: 'order_percentage_discount', arguments: [{ name: 'discount', value: couponCode.slice(-2) }] }],
      translations: [{ languageCode: LanguageCode.en, name: couponCode }],
    });
  }
  for (let number = 1; number <= CUSTOMERS; number += 1) {
    const customer = { emailAddress: `customer${number}@shop.example`, firstName: 'Customer', lastName: String(number) };
    await app.get(CustomerService).create(ctx, customer, `correct-horse-${number}`);
  }
}

module.exports = { fill };
