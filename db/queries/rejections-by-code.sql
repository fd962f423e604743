-- Why entries were not made on the newest trading date, most frequent reason first.
SELECT code, times, symbols, last_at
FROM rejections_by_code
WHERE trade_date = (SELECT max(trade_date) FROM rejections_by_code)
ORDER BY times DESC, code;
