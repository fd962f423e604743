-- A number per table of what the workers share (store/view.ts), moved by every change of it, whoever makes it. After a foreign commit a worker
-- reads these first, and then only the tables that have changed: decisions, alerts and equity, most of what is committed, cost it nothing more.

CREATE TABLE shared_changes (
  name    TEXT PRIMARY KEY,
  number  INTEGER NOT NULL
) STRICT;
INSERT INTO shared_changes (name, number) VALUES
  ('active_positions', 0), ('baseline', 0), ('closed_positions_today', 0), ('commands', 0), ('executions', 0), ('kill_switch', 0), ('orders', 0), ('worker_leases', 0);

CREATE TRIGGER active_positions_shared_insert AFTER INSERT ON active_positions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'active_positions'; END;
CREATE TRIGGER active_positions_shared_update AFTER UPDATE ON active_positions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'active_positions'; END;
CREATE TRIGGER active_positions_shared_delete AFTER DELETE ON active_positions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'active_positions'; END;

CREATE TRIGGER baseline_shared_insert AFTER INSERT ON baseline BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'baseline'; END;
CREATE TRIGGER baseline_shared_update AFTER UPDATE ON baseline BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'baseline'; END;
CREATE TRIGGER baseline_shared_delete AFTER DELETE ON baseline BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'baseline'; END;

CREATE TRIGGER closed_positions_today_shared_insert AFTER INSERT ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'closed_positions_today'; END;
CREATE TRIGGER closed_positions_today_shared_update AFTER UPDATE ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'closed_positions_today'; END;
CREATE TRIGGER closed_positions_today_shared_delete AFTER DELETE ON closed_positions_today BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'closed_positions_today'; END;

CREATE TRIGGER commands_shared_insert AFTER INSERT ON commands BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'commands'; END;
CREATE TRIGGER commands_shared_update AFTER UPDATE ON commands BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'commands'; END;
CREATE TRIGGER commands_shared_delete AFTER DELETE ON commands BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'commands'; END;

CREATE TRIGGER executions_shared_insert AFTER INSERT ON executions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'executions'; END;
CREATE TRIGGER executions_shared_update AFTER UPDATE ON executions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'executions'; END;
CREATE TRIGGER executions_shared_delete AFTER DELETE ON executions BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'executions'; END;

CREATE TRIGGER kill_switch_shared_insert AFTER INSERT ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'kill_switch'; END;
CREATE TRIGGER kill_switch_shared_update AFTER UPDATE ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'kill_switch'; END;
CREATE TRIGGER kill_switch_shared_delete AFTER DELETE ON kill_switch BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'kill_switch'; END;

CREATE TRIGGER orders_shared_insert AFTER INSERT ON orders BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'orders'; END;
CREATE TRIGGER orders_shared_update AFTER UPDATE ON orders BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'orders'; END;
CREATE TRIGGER orders_shared_delete AFTER DELETE ON orders BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'orders'; END;

CREATE TRIGGER worker_leases_shared_insert AFTER INSERT ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'worker_leases'; END;
CREATE TRIGGER worker_leases_shared_update AFTER UPDATE ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'worker_leases'; END;
CREATE TRIGGER worker_leases_shared_delete AFTER DELETE ON worker_leases BEGIN UPDATE shared_changes SET number = number + 1 WHERE name = 'worker_leases'; END;
