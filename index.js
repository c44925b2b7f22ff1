// n8n finds the nodes through package.json's `n8n` section; there is nothing to import from here.
module.exports = {};
