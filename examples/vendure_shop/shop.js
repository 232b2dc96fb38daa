/** Fills an empty shop, starts it, and says where it is. */
'use strict';

const { existsSync } = require('node:fs');
const { config, DATABASE } = require('./config');
const { bootstrap } = require('@vendure/core');
const { fill } = require('./seed');

async function main() {
  const isNew = !existsSync(DATABASE);
  const app = await bootstrap(config);
  if (isNew) await fill(app);
  console.log(`listening on ${await app.getUrl()}/shop-api`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
