-- Written by packages/store/src/migrate.test.ts from db/migrations: do not edit. Update: vitest run --project unit migrate -u

CREATE TABLE active_positions (
  id                   INTEGER PRIMARY KEY,
  symbol               TEXT NOT NULL UNIQUE,
  quantity             INTEGER NOT NULL,
  entry_price          REAL,
  entry_timestamp      TEXT,
  agent_name           TEXT NOT NULL,
  profit_target_price  REAL,
  stop_loss_price      REAL,
  status               TEXT NOT NULL DEFAULT 'OPEN' CHECK (status IN ('CLAIMED', 'OPEN', 'CLOSING')),
  last_updated         TEXT NOT NULL,
  metadata             TEXT NOT NULL CHECK (json_valid(metadata)),
  account              TEXT NOT NULL,
  con_id               INTEGER NOT NULL,
  trade_id             TEXT NOT NULL UNIQUE REFERENCES trades (trade_id),
  contract             TEXT NOT NULL CHECK (json_valid(contract)),
  UNIQUE (account, con_id)
) STRICT;

CREATE TABLE alerts (
  id        INTEGER PRIMARY KEY,
  at        TEXT NOT NULL,
  last_at   TEXT NOT NULL,
  times     INTEGER NOT NULL DEFAULT 1,
  trade_date TEXT NOT NULL,
  worker    TEXT NOT NULL,
  level     TEXT NOT NULL CHECK (level IN ('info', 'warning', 'critical')),
  code      TEXT NOT NULL,
  symbol    TEXT,
  happened  TEXT NOT NULL,
  did       TEXT NOT NULL,
  todo      TEXT NOT NULL
) STRICT;

CREATE TABLE baseline (
  account   TEXT NOT NULL,
  con_id    INTEGER NOT NULL,
  symbol    TEXT NOT NULL,
  quantity  REAL NOT NULL,                 -- as the broker tells it, fractions included: it is hands-off anyway
  contract  TEXT NOT NULL CHECK (json_valid(contract)),
  PRIMARY KEY (account, con_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE baseline_taken (
  account   TEXT PRIMARY KEY,
  taken_at  TEXT NOT NULL
) STRICT;

CREATE TABLE closed_positions_today (
  id               INTEGER PRIMARY KEY,
  symbol           TEXT NOT NULL,
  close_date       TEXT NOT NULL,
  exit_price       REAL,
  exit_reason      TEXT NOT NULL,
  profit_loss_pct  REAL,
  agent_name       TEXT NOT NULL,
  timestamp        TEXT NOT NULL,
  account          TEXT NOT NULL,
  con_id           INTEGER NOT NULL,
  UNIQUE (symbol, close_date)
) STRICT;

CREATE TABLE commands (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  target       TEXT NOT NULL,
  kind         TEXT NOT NULL,
  payload      TEXT NOT NULL CHECK (json_valid(payload)),
  position_id  TEXT,
  trade_date   TEXT NOT NULL,
  expires_at   TEXT NOT NULL,
  status       TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'taken', 'done', 'refused', 'expired')),
  answer       TEXT,
  created_by   TEXT NOT NULL,
  created_at   TEXT NOT NULL,
  answered_at  TEXT,
  UNIQUE (target, kind, payload, expires_at)
) STRICT;

CREATE TABLE daily_pnl (
  account       TEXT NOT NULL,
  trade_date    TEXT NOT NULL,
  realized_pnl  REAL NOT NULL DEFAULT 0,
  commission    REAL NOT NULL DEFAULT 0,
  trades        INTEGER NOT NULL DEFAULT 0,
  wins          INTEGER NOT NULL DEFAULT 0,
  losses        INTEGER NOT NULL DEFAULT 0,
  start_equity  REAL,
  last_equity   REAL,
  last_updated  TEXT NOT NULL,
  PRIMARY KEY (account, trade_date)
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
  id          INTEGER PRIMARY KEY,
  at          TEXT NOT NULL,
  trade_date  TEXT NOT NULL,
  worker      TEXT NOT NULL,
  symbol      TEXT NOT NULL,
  strategy    TEXT NOT NULL,
  verdict     TEXT NOT NULL CHECK (verdict IN ('enter', 'reject', 'hold', 'exit')),
  code        TEXT NOT NULL,
  detail      TEXT NOT NULL,
  numbers     TEXT NOT NULL CHECK (json_valid(numbers)),
  UNIQUE (at, worker, symbol, strategy, code, detail)
) STRICT;

CREATE TABLE equity_snapshots (
  account          TEXT NOT NULL,
  at               TEXT NOT NULL,
  trade_date       TEXT NOT NULL,
  net_liquidation  REAL NOT NULL,
  cash             REAL,
  PRIMARY KEY (account, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE executions (
  exec_id       TEXT PRIMARY KEY,
  exec_root     TEXT NOT NULL,             -- exec_id before its last dot: the same in every correction of one fill
  revision      INTEGER NOT NULL,          -- exec_id after its last dot
  superseded    INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
  at            TEXT NOT NULL,
  trade_date    TEXT NOT NULL,
  con_id        INTEGER NOT NULL,
  symbol        TEXT NOT NULL,
  side          TEXT NOT NULL CHECK (side IN ('BUY', 'SELL')),
  shares        INTEGER NOT NULL CHECK (shares >= 0),
  price         REAL NOT NULL,
  order_ref     TEXT NOT NULL,
  perm_id       INTEGER NOT NULL,
  client_id     INTEGER NOT NULL,
  api_order_id  INTEGER NOT NULL,
  trade_id      TEXT,
  commission    REAL,
  realized_pnl  REAL
) STRICT;

CREATE TABLE kill_switch (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  is_on   INTEGER NOT NULL CHECK (is_on IN (0, 1)),
  reason  TEXT NOT NULL,
  actor   TEXT NOT NULL,
  at      TEXT NOT NULL
) STRICT;

CREATE TABLE orders (
  order_ref     TEXT PRIMARY KEY,
  worker        TEXT NOT NULL,
  client_id     INTEGER NOT NULL,
  api_order_id  INTEGER NOT NULL,
  perm_id       INTEGER,
  trade_id      TEXT NOT NULL,
  con_id        INTEGER NOT NULL,
  symbol        TEXT NOT NULL,
  contract      TEXT NOT NULL CHECK (json_valid(contract)),
  role          TEXT NOT NULL CHECK (role IN ('entry', 'target', 'stop', 'disaster-stop', 'exit')),
  side          TEXT NOT NULL CHECK (side IN ('BUY', 'SELL')),
  quantity      INTEGER NOT NULL,
  order_type    TEXT NOT NULL,
  limit_price   REAL,
  stop_price    REAL,
  tif           TEXT NOT NULL,
  good_till     TEXT,
  oca_group     TEXT,
  status        TEXT NOT NULL CHECK (status IN ('INTENT', 'SUBMITTED', 'CANCELLING', 'INACTIVE', 'LOST', 'CANCELLED', 'REJECTED', 'FILLED')),
  filled        INTEGER NOT NULL,
  reason        TEXT,
  trade_date    TEXT NOT NULL,             -- when it was first written
  ended_on      TEXT,                      -- trade date of its last word; NULL while it may still live
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL
) STRICT;

CREATE TABLE quarantined_rows (
  id      INTEGER PRIMARY KEY,
  at      TEXT NOT NULL,
  worker  TEXT NOT NULL,
  kind    TEXT NOT NULL,
  row     TEXT NOT NULL,
  error   TEXT NOT NULL,
  UNIQUE (kind, row)
) STRICT;

CREATE TABLE schema_migrations (
  name        TEXT PRIMARY KEY,
  checksum    TEXT NOT NULL,
  applied_at  TEXT NOT NULL
) STRICT;

CREATE TABLE shared_changes (
  name    TEXT PRIMARY KEY,
  number  INTEGER NOT NULL
) STRICT;

CREATE TABLE signals (
  id          INTEGER PRIMARY KEY,
  at          TEXT NOT NULL,
  trade_date  TEXT NOT NULL,
  symbol      TEXT NOT NULL,
  strategy    TEXT NOT NULL,
  side        INTEGER NOT NULL CHECK (side IN (1, -1)),
  score       REAL,
  status      TEXT NOT NULL,
  payload     TEXT NOT NULL CHECK (json_valid(payload)),
  UNIQUE (at, symbol, strategy)
) STRICT;

CREATE TABLE store_binding (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  mode        TEXT NOT NULL CHECK (mode IN ('demo', 'observe', 'paper', 'live')),
  account     TEXT NOT NULL,
  created_at  TEXT NOT NULL
) STRICT;

CREATE TABLE strategy_state (
  strategy      TEXT PRIMARY KEY,
  state         TEXT NOT NULL,
  data          TEXT NOT NULL CHECK (json_valid(data)),
  last_updated  TEXT NOT NULL
) STRICT;

CREATE TABLE strategy_state_audit (
  id          INTEGER PRIMARY KEY,
  at          TEXT NOT NULL,
  strategy    TEXT NOT NULL,
  from_state  TEXT,
  to_state    TEXT NOT NULL,
  reason      TEXT NOT NULL,
  data        TEXT NOT NULL CHECK (json_valid(data))
) STRICT;

CREATE TABLE trades (
  trade_id         TEXT PRIMARY KEY,
  account          TEXT NOT NULL,
  con_id           INTEGER NOT NULL,
  symbol           TEXT NOT NULL,
  contract         TEXT NOT NULL CHECK (json_valid(contract)),
  side             INTEGER NOT NULL CHECK (side IN (1, -1)),
  quantity         INTEGER NOT NULL,
  status           TEXT NOT NULL CHECK (status IN ('CLAIMED', 'OPEN', 'CLOSED', 'RELEASED')),
  origin           TEXT NOT NULL CHECK (origin IN ('entry', 'adopted')),
  agent_name       TEXT NOT NULL,
  trade_date       TEXT NOT NULL,          -- of the claim or the adoption
  entry_price      REAL,
  entry_timestamp  TEXT,
  exit_price       REAL,
  exit_timestamp   TEXT,
  exit_reason      TEXT,
  close_date       TEXT,                   -- of the last exit execution
  pnl              REAL,
  profit_loss_pct  REAL,
  commission       REAL NOT NULL DEFAULT 0,
  signal           TEXT,
  created_at       TEXT NOT NULL,
  last_updated     TEXT NOT NULL
, base INTEGER, base_price REAL) STRICT;

CREATE TABLE worker_events (
  id          INTEGER PRIMARY KEY,
  worker      TEXT NOT NULL,
  event       TEXT NOT NULL CHECK (event IN ('started', 'ready', 'crashed', 'hung', 'killed', 'adopted', 'parked', 'released', 'stopped')),
  at          TEXT NOT NULL,
  trade_date  TEXT NOT NULL,
  detail      TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE worker_leases (
  name                TEXT PRIMARY KEY,
  lease_id            INTEGER NOT NULL UNIQUE,
  pid                 INTEGER,             -- NULL: nobody holds it; the number stays, so that the next one is higher
  process_started_at  TEXT,
  boot_id             TEXT,
  acquired_at         TEXT NOT NULL,
  phase               TEXT NOT NULL,
  detail              TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX alerts_by_code ON alerts (code, last_at);

CREATE INDEX alerts_by_date ON alerts (trade_date, at);

CREATE INDEX commands_waiting ON commands (target, status);

CREATE INDEX decisions_by_date ON decisions (trade_date, code);

CREATE INDEX decisions_by_symbol ON decisions (symbol, trade_date);

CREATE INDEX equity_snapshots_by_date ON equity_snapshots (trade_date, at);

CREATE INDEX executions_by_date ON executions (trade_date, at);

CREATE INDEX executions_by_order ON executions (order_ref);

CREATE INDEX executions_by_root ON executions (exec_root, revision);

CREATE INDEX executions_by_trade ON executions (trade_id, superseded);

CREATE INDEX orders_alive ON orders (ended_on, created_at);

CREATE INDEX orders_by_address ON orders (client_id, api_order_id);

CREATE INDEX orders_by_date ON orders (trade_date, symbol);

CREATE INDEX orders_by_perm_id ON orders (perm_id);

CREATE INDEX orders_by_trade ON orders (trade_id);

CREATE INDEX signals_by_date ON signals (trade_date, symbol);

CREATE INDEX strategy_state_audit_by_strategy ON strategy_state_audit (strategy, at);

CREATE INDEX trades_by_agent ON trades (agent_name, close_date);

CREATE INDEX trades_by_close_date ON trades (close_date, exit_timestamp);

CREATE INDEX trades_by_reason ON trades (exit_reason, close_date);

CREATE INDEX trades_by_status ON trades (status, trade_date);

CREATE INDEX trades_by_symbol ON trades (symbol, close_date);

CREATE INDEX worker_events_by_date ON worker_events (trade_date, worker);

CREATE VIEW open_orders AS
SELECT trade_date, symbol, role, side, quantity, filled, order_type, limit_price, stop_price, tif, status, order_ref, client_id, perm_id, updated_at
FROM orders
WHERE status NOT IN ('CANCELLED', 'REJECTED', 'FILLED');

CREATE VIEW pnl_by_symbol AS
SELECT close_date, symbol, count(*) AS trades, sum(pnl > 0) AS wins, round(sum(pnl), 2) AS pnl, round(sum(commission), 2) AS commission
FROM trades
WHERE status = 'CLOSED'
GROUP BY close_date, symbol;

CREATE VIEW rejections_by_code AS
SELECT trade_date, code, count(*) AS times, count(DISTINCT symbol) AS symbols, max(at) AS last_at
FROM decisions
WHERE verdict = 'reject'
GROUP BY trade_date, code;

CREATE VIEW round_trips AS
SELECT close_date, symbol, CASE side WHEN 1 THEN 'LONG' ELSE 'SHORT' END AS side, quantity, entry_price, exit_price, exit_reason,
       round(pnl, 2) AS pnl, round(profit_loss_pct, 2) AS profit_loss_pct, round(commission, 2) AS commission,
       entry_timestamp, exit_timestamp, agent_name, origin, trade_id
FROM trades
WHERE status = 'CLOSED';

CREATE TRIGGER active_positions_shared_delete AFTER DELETE ON active_positions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'active_positions'; END;

CREATE TRIGGER active_positions_shared_insert AFTER INSERT ON active_positions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'active_positions'; END;

CREATE TRIGGER active_positions_shared_update AFTER UPDATE ON active_positions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'active_positions'; END;

CREATE TRIGGER baseline_shared_delete AFTER DELETE ON baseline BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'baseline'; END;

CREATE TRIGGER baseline_shared_insert AFTER INSERT ON baseline BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'baseline'; END;

CREATE TRIGGER baseline_shared_update AFTER UPDATE ON baseline BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'baseline'; END;

CREATE TRIGGER closed_positions_today_shared_delete AFTER DELETE ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'closed_positions_today'; END;

CREATE TRIGGER closed_positions_today_shared_insert AFTER INSERT ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'closed_positions_today'; END;

CREATE TRIGGER closed_positions_today_shared_update AFTER UPDATE ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'closed_positions_today'; END;

CREATE TRIGGER commands_shared_delete AFTER DELETE ON commands BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'commands'; END;

CREATE TRIGGER commands_shared_insert AFTER INSERT ON commands BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'commands'; END;

CREATE TRIGGER commands_shared_update AFTER UPDATE ON commands BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'commands'; END;

CREATE TRIGGER executions_shared_delete AFTER DELETE ON executions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'executions'; END;

CREATE TRIGGER executions_shared_insert AFTER INSERT ON executions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'executions'; END;

CREATE TRIGGER executions_shared_update AFTER UPDATE ON executions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'executions'; END;

CREATE TRIGGER kill_switch_shared_delete AFTER DELETE ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'kill_switch'; END;

CREATE TRIGGER kill_switch_shared_insert AFTER INSERT ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'kill_switch'; END;

CREATE TRIGGER kill_switch_shared_update AFTER UPDATE ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'kill_switch'; END;

CREATE TRIGGER orders_shared_delete AFTER DELETE ON orders BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'orders'; END;

CREATE TRIGGER orders_shared_insert AFTER INSERT ON orders BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'orders'; END;

CREATE TRIGGER orders_shared_update AFTER UPDATE ON orders BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'orders'; END;

CREATE TRIGGER worker_leases_shared_delete AFTER DELETE ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'worker_leases'; END;

CREATE TRIGGER worker_leases_shared_insert AFTER INSERT ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'worker_leases'; END;

CREATE TRIGGER worker_leases_shared_update AFTER UPDATE ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'worker_leases'; END;
