import type { OrderRole, OrderSide, OrderStatus, OrderType, TimeInForce, WorkerName } from '@holdfast/core/orders/order';
import type { PositionStatus, WorkerPhase } from '@holdfast/core/shared-view';
import type { TradeDate } from '@holdfast/core/units';
import type { Generated, Selectable } from 'kysely';

/**
 * The tables as TypeScript sees them; db/schema.sql is how SQLite sees them, and a test keeps the columns of both equal.
 * `number` money is dollars, times are ISO text, JSON is text.
 */
export interface Database {
  store_binding: StoreBindingTable;
  worker_leases: WorkerLeasesTable;
  worker_events: WorkerEventsTable;
  trades: TradesTable;
  active_positions: ActivePositionsTable;
  closed_positions_today: ClosedPositionsTodayTable;
  orders: OrdersTable;
  executions: ExecutionsTable;
  baseline: BaselineTable;
  baseline_taken: BaselineTakenTable;
  commands: CommandsTable;
  kill_switch: KillSwitchTable;
  signals: SignalsTable;
  decisions: DecisionsTable;
  alerts: AlertsTable;
  daily_pnl: DailyPnlTable;
  equity_snapshots: EquitySnapshotsTable;
  strategy_state: StrategyStateTable;
  strategy_state_audit: StrategyStateAuditTable;
  quarantined_rows: QuarantinedRowsTable;
  shared_changes: SharedChangesTable;
  schema_migrations: SchemaMigrationsTable;
}

export type StoreMode = 'demo' | 'observe' | 'paper' | 'live';
export type LeaseName = 'supervisor' | 'exit-manager' | 'day-trader' | 'liquidator' | 'dashboard';
export type WorkerEventKind = 'started' | 'ready' | 'crashed' | 'hung' | 'killed' | 'adopted' | 'parked' | 'released' | 'stopped';
export type TradeStatus = 'CLAIMED' | 'OPEN' | 'CLOSED' | 'RELEASED';
export type CommandStatus = 'pending' | 'taken' | 'done' | 'refused' | 'expired';

export interface StoreBindingTable {
  id: number;
  mode: StoreMode;
  account: string;
  created_at: string;
}

export interface WorkerLeasesTable {
  name: LeaseName;
  lease_id: number;
  pid: number | null;
  process_started_at: string | null;
  boot_id: string | null;
  acquired_at: string;
  phase: WorkerPhase;
  detail: string;
}

export interface WorkerEventsTable {
  id: Generated<number>;
  worker: LeaseName;
  event: WorkerEventKind;
  at: string;
  trade_date: TradeDate;
  detail: string;
}

export interface TradesTable {
  trade_id: string;
  account: string;
  con_id: number;
  symbol: string;
  contract: string;
  side: 1 | -1;
  quantity: number;
  status: TradeStatus;
  origin: 'entry' | 'adopted';
  agent_name: string;
  trade_date: TradeDate;
  entry_price: number | null;
  entry_timestamp: string | null;
  exit_price: number | null;
  exit_timestamp: string | null;
  exit_reason: string | null;
  close_date: TradeDate | null;
  pnl: number | null;
  profit_loss_pct: number | null;
  commission: number;
  signal: string | null;
  created_at: string;
  last_updated: string;
  base: number | null;
  base_price: number | null;
}

export interface ActivePositionsTable {
  id: Generated<number>;
  symbol: string;
  quantity: number;
  entry_price: number | null;
  entry_timestamp: string | null;
  agent_name: string;
  profit_target_price: number | null;
  stop_loss_price: number | null;
  status: PositionStatus;
  last_updated: string;
  metadata: string;
  account: string;
  con_id: number;
  trade_id: string;
  contract: string;
}

export type ActivePositionsRow = Selectable<ActivePositionsTable>;

export interface ClosedPositionsTodayTable {
  id: Generated<number>;
  symbol: string;
  close_date: TradeDate;
  exit_price: number | null;
  exit_reason: string;
  profit_loss_pct: number | null;
  agent_name: string;
  timestamp: string;
  account: string;
  con_id: number;
}

export interface OrdersTable {
  order_ref: string;
  worker: WorkerName;
  client_id: number;
  api_order_id: number;
  perm_id: number | null;
  trade_id: string;
  con_id: number;
  symbol: string;
  contract: string;
  role: OrderRole;
  side: OrderSide;
  quantity: number;
  order_type: OrderType;
  limit_price: number | null;
  stop_price: number | null;
  tif: TimeInForce;
  good_till: string | null;
  oca_group: string | null;
  status: OrderStatus;
  filled: number;
  reason: string | null;
  trade_date: TradeDate;
  ended_on: TradeDate | null;
  created_at: string;
  updated_at: string;
}

export interface ExecutionsTable {
  exec_id: string;
  exec_root: string;
  revision: number;
  superseded: number;
  at: string;
  trade_date: TradeDate;
  con_id: number;
  symbol: string;
  side: OrderSide;
  shares: number;
  price: number;
  order_ref: string;
  perm_id: number;
  client_id: number;
  api_order_id: number;
  trade_id: string | null;
  commission: number | null;
  realized_pnl: number | null;
}

export interface BaselineTable {
  account: string;
  con_id: number;
  symbol: string;
  quantity: number;
  contract: string;
}

export interface BaselineTakenTable {
  account: string;
  taken_at: string;
}

export interface CommandsTable {
  id: Generated<number>;
  target: WorkerName | 'supervisor';
  kind: string;
  payload: string;
  position_id: string | null;
  trade_date: TradeDate;
  expires_at: string;
  status: CommandStatus;
  answer: string | null;
  created_by: string;
  created_at: string;
  answered_at: string | null;
}

export interface KillSwitchTable {
  id: Generated<number>;
  is_on: number;
  reason: string;
  actor: string;
  at: string;
}

export interface SignalsTable {
  id: Generated<number>;
  at: string;
  trade_date: TradeDate;
  symbol: string;
  strategy: string;
  side: 1 | -1;
  score: number | null;
  status: string;
  payload: string;
}

export interface DecisionsTable {
  id: Generated<number>;
  at: string;
  trade_date: TradeDate;
  worker: string;
  symbol: string;
  strategy: string;
  verdict: 'enter' | 'reject' | 'hold' | 'exit';
  code: string;
  detail: string;
  numbers: string;
}

export interface AlertsTable {
  id: Generated<number>;
  at: string;
  last_at: string;
  times: Generated<number>;
  trade_date: TradeDate;
  worker: string;
  level: 'info' | 'warning' | 'critical';
  code: string;
  symbol: string | null;
  happened: string;
  did: string;
  todo: string;
}

export interface DailyPnlTable {
  account: string;
  trade_date: TradeDate;
  realized_pnl: Generated<number>;
  commission: Generated<number>;
  trades: Generated<number>;
  wins: Generated<number>;
  losses: Generated<number>;
  start_equity: number | null;
  last_equity: number | null;
  last_updated: string;
}

export interface EquitySnapshotsTable {
  account: string;
  at: string;
  trade_date: TradeDate;
  net_liquidation: number;
  cash: number | null;
}

export interface StrategyStateTable {
  strategy: string;
  state: string;
  data: string;
  last_updated: string;
}

export interface StrategyStateAuditTable {
  id: Generated<number>;
  at: string;
  strategy: string;
  from_state: string | null;
  to_state: string;
  reason: string;
  data: string;
}

export interface SharedChangesTable {
  name: string;
  number: number;
}

export interface QuarantinedRowsTable {
  id: Generated<number>;
  at: string;
  worker: string;
  kind: string;
  row: string;
  error: string;
}

export interface SchemaMigrationsTable {
  name: string;
  checksum: string;
  applied_at: string;
}
