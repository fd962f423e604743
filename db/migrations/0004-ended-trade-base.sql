-- What no execution explains of an ended trade, signed (adopted shares, or such as another trade of its symbol handed over or took), and the price
-- it counts at: without them a start could not tell whether the trade is still flat when one of its fills is corrected. NULL: ended before this.
ALTER TABLE trades ADD COLUMN base INTEGER;
ALTER TABLE trades ADD COLUMN base_price REAL;
