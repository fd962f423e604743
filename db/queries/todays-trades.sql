-- Round trips of the newest closed trading date. Another day: replace the subquery by its date, e.g. '2026-03-09'.
SELECT symbol, side, quantity, entry_price, exit_price, exit_reason, pnl, profit_loss_pct, commission, entry_timestamp, exit_timestamp, agent_name
FROM round_trips
WHERE close_date = (SELECT max(close_date) FROM round_trips)
ORDER BY exit_timestamp, symbol;
