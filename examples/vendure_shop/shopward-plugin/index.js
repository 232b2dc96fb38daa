/**
 * Shopward for Vendure: one line in the shop's configuration.
 *
 *     plugins: [ShopwardPlugin.init({ url, key, tokenSecret })]
 *
 * Promise: logins, changes of password, mail and address, coupon codes and payments of the Shop API are asked about before
 * they are done and told about afterwards, over HTTP and nothing else. Where Shopward is not heard, the table of
 * `fallback.js` answers; nothing here breaks a customer's page. The Admin API is not guarded.
 *
 * Options: `url`, `key` (role service), `tokenSecret` (a secret of the shop, kept for ever: tokens are made under it),
 * `onUnreachable` (verdicts by event type or `type:instrument`), `instruments` (payment method code to instrument; `card`
 * where none is named), `timeoutMs`.
 */
'use strict';

const { APP_INTERCEPTOR } = require('@nestjs/core');
const { ActiveOrderService, I18nService, PluginCommonModule, VendurePlugin } = require('@vendure/core');
const { Shopward } = require('./client');
const { deviceCookie } = require('./device');
const { Guard } = require('./guard');
const { GuardedLogin } = require('./login');
const { proofSchema, proofResolver } = require('./proof');
const texts = require('./texts.json');

class ShopwardPlugin {
  static init(options) {
    for (const name of ['url', 'key', 'tokenSecret']) {
      if (!options[name]) throw new Error(`ShopwardPlugin: ${name} is missing`);
    }
    ShopwardPlugin.shopward = new Shopward(options);
    return ShopwardPlugin;
  }

  constructor(i18n) {
    this.i18n = i18n;
  }

  onApplicationBootstrap() {
    for (const [language, resources] of Object.entries(texts)) this.i18n.addTranslation(language, resources);
  }
}

Reflect.defineMetadata('design:paramtypes', [I18nService], ShopwardPlugin);
VendurePlugin({
  imports: [PluginCommonModule],
  compatibility: '^3.0.0',
  providers: [
    {
      provide: APP_INTERCEPTOR,
      useFactory: (orders) => new Guard(ShopwardPlugin.shopward, orders),
      inject: [ActiveOrderService],
    },
  ],
  shopApiExtensions: { schema: proofSchema, resolvers: () => [proofResolver(ShopwardPlugin.shopward)] },
  configuration: (config) => {
    const auth = config.authOptions;
    const others = auth.shopAuthenticationStrategy.filter((strategy) => strategy.name !== 'native');
    auth.shopAuthenticationStrategy = [new GuardedLogin(ShopwardPlugin.shopward), ...others];
    config.apiOptions.middleware.push({ route: 'shop-api', handler: deviceCookie });
    ShopwardPlugin.shopward.mailIsVerified = auth.requireVerification;
    return config;
  },
})(ShopwardPlugin);

module.exports = { ShopwardPlugin };
