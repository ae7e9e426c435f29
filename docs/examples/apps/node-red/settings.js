const password = require("bcryptjs").hashSync("example", 4)
module.exports = {
  uiHost: "127.0.0.1",
  userDir: process.env.USER_DIR,
  adminAuth: {
    type: "credentials",
    users: [...Array(60).keys()].map((n) => ({ username: `editor${n + 1}`, password, permissions: "*" })),
  },
}
