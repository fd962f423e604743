-- P&L of the newest closed trading date by symbol, worst first.
SELECT symbol, trades, wins, pnl, commission
FROM pnl_by_symbol
WHERE close_date = (SELECT max(close_date) FROM pnl_by_symbol)
ORDER BY pnl, symbol;
