-- One number that moves with every change of what the workers share (store/view.ts), whoever makes it. After a foreign commit a worker reads
-- it first: decisions, alerts and equity, most of what is committed, are nobody else's business and cost no reading of all the tables.

CREATE TABLE shared_changes (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  number  INTEGER NOT NULL
) STRICT;
INSERT INTO shared_changes (id, number) VALUES (1, 0);

CREATE TRIGGER active_positions_shared_insert AFTER INSERT ON active_positions BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER active_positions_shared_update AFTER UPDATE ON active_positions BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER active_positions_shared_delete AFTER DELETE ON active_positions BEGIN UPDATE shared_changes SET number = number + 1; END;

CREATE TRIGGER baseline_shared_insert AFTER INSERT ON baseline BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER baseline_shared_update AFTER UPDATE ON baseline BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER baseline_shared_delete AFTER DELETE ON baseline BEGIN UPDATE shared_changes SET number = number + 1; END;

CREATE TRIGGER closed_positions_today_shared_insert AFTER INSERT ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER closed_positions_today_shared_update AFTER UPDATE ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER closed_positions_today_shared_delete AFTER DELETE ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1; END;

CREATE TRIGGER commands_shared_insert AFTER INSERT ON commands BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER commands_shared_update AFTER UPDATE ON commands BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER commands_shared_delete AFTER DELETE ON commands BEGIN UPDATE shared_changes SET number = number + 1; END;

CREATE TRIGGER executions_shared_insert AFTER INSERT ON executions BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER executions_shared_update AFTER UPDATE ON executions BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER executions_shared_delete AFTER DELETE ON executions BEGIN UPDATE shared_changes SET number = number + 1; END;

CREATE TRIGGER kill_switch_shared_insert AFTER INSERT ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER kill_switch_shared_update AFTER UPDATE ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER kill_switch_shared_delete AFTER DELETE ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1; END;

CREATE TRIGGER orders_shared_insert AFTER INSERT ON orders BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER orders_shared_update AFTER UPDATE ON orders BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER orders_shared_delete AFTER DELETE ON orders BEGIN UPDATE shared_changes SET number = number + 1; END;

CREATE TRIGGER worker_leases_shared_insert AFTER INSERT ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER worker_leases_shared_update AFTER UPDATE ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1; END;
CREATE TRIGGER worker_leases_shared_delete AFTER DELETE ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1; END;
