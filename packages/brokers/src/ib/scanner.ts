import type { ContractDetails } from '@stoqey/ib';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import { Instrument, LocationCode, ScanCode } from '@stoqey/ib/dist/api/market-scanner/market-scanner.js';
import type { Session } from './session.js';

const ROWS_MAX = 25;

interface Row {
  readonly rank: number;
  readonly conId: number;
  readonly symbol: string;
}

const isScanCode = (name: string): name is keyof typeof ScanCode => Number.isNaN(Number(name)) && name in ScanCode;

/** Subscribes one of the broker's scans (`TOP_PERC_GAIN` …) over US stocks; the whole list comes again about every 30 s. */
export function scannerDesk(session: Session): (requestId: number, scan: string) => void {
  const { api, pacer } = session;
  const scans = new Map<number, { readonly requestId: number; rows: Row[] }>();
  api.on(
    EventName.scannerData,
    session.listen('scanner row', (wireId: number, rank: number, { contract }: ContractDetails) => {
      if (contract.conId !== undefined) scans.get(wireId)?.rows.push({ rank, conId: contract.conId, symbol: contract.symbol ?? '' });
    }),
  );
  api.on(
    EventName.scannerDataEnd,
    session.listen('scanner end', (wireId: number) => {
      const scan = scans.get(wireId);
      if (!scan) return;
      const { requestId, rows } = scan;
      scan.rows = [];
      session.tell({ kind: 'scanner', requestId, rows });
    }),
  );
  return (requestId, scan) => {
    if (!isScanCode(scan)) {
      return session.tell({
        kind: 'notice',
        code: 0,
        text: `the broker has no scan ${JSON.stringify(scan)}: none is running`,
        severity: 'error',
      });
    }
    const wireId = session.request({
      what: 'scanner',
      failed: (code, text) => {
        scans.delete(wireId);
        session.tell({ kind: 'notice', code, text: `the scan ${scan} ended: ${text}`, severity: 'warning' });
      },
    });
    scans.set(wireId, { requestId, rows: [] });
    pacer.ordinary(() =>
      api.reqScannerSubscription(wireId, {
        // The library wants its own enumeration's value; a name would travel as "0".
        scanCode: ScanCode[scan],
        instrument: Instrument.STK,
        locationCode: LocationCode.STK_US_MAJOR,
        numberOfRows: ROWS_MAX,
      }),
    );
  };
}
