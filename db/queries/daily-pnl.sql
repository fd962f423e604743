-- One line per trading date, newest first; pnl_pct is of the day's starting equity.
SELECT trade_date, trades, wins, losses, round(realized_pnl, 2) AS pnl,
       round(100 * realized_pnl / start_equity, 2) AS pnl_pct, round(commission, 2) AS commission, start_equity, last_equity
FROM daily_pnl
ORDER BY trade_date DESC, account;
