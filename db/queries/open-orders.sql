-- Every order of ours that may still live at the broker.
SELECT symbol, role, side, quantity, filled, order_type, limit_price, stop_price, tif, status, order_ref, client_id, perm_id, updated_at
FROM open_orders
ORDER BY symbol, order_ref;
