-- The daily review in plain SQL (A20). Money in dollars; each view has a date column to filter by. db/queries holds ready queries on them.

CREATE VIEW round_trips AS
SELECT close_date, symbol, CASE side WHEN 1 THEN 'LONG' ELSE 'SHORT' END AS side, quantity, entry_price, exit_price, exit_reason,
       round(pnl, 2) AS pnl, round(profit_loss_pct, 2) AS profit_loss_pct, round(commission, 2) AS commission,
       entry_timestamp, exit_timestamp, agent_name, origin, trade_id
FROM trades
WHERE status = 'CLOSED';

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

CREATE VIEW open_orders AS
SELECT trade_date, symbol, role, side, quantity, filled, order_type, limit_price, stop_price, tif, status, order_ref, client_id, perm_id, updated_at
FROM orders
WHERE status NOT IN ('CANCELLED', 'REJECTED', 'FILLED');
