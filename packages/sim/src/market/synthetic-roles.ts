/** What a name is there for on a synthetic day. */
export type Role = 'calm' | 'volatile' | 'gapper' | 'runaway' | 'crasher' | 'halted';

export interface Profile {
  readonly symbol: string;
  readonly longName: string;
  readonly role: Role;
  readonly industry: string;
  /** Yesterday's close lies in this range, whole dollars. */
  readonly dollars: readonly [number, number];
  /** Standard deviation of one second's move, millionths of the price. 430 makes 30-second bars of about 0.33 %. */
  readonly sigmaPpm: number;
  /** Quoted width in regular hours, basis points, at least a tick. */
  readonly spreadBps: number;
  /** Dollars displayed on a side, thousands, lowest and highest. */
  readonly displayedThousands: readonly [number, number];
  /** In regular hours a second has a print in this many of 100 cases; before the open in `preMarketPer100`. */
  readonly printsPer100: number;
  readonly preMarketPer100: number;
}

const calm = { role: 'calm', sigmaPpm: 60, spreadBps: 1, displayedThousands: [50, 600], printsPer100: 95, preMarketPer100: 8 } as const;
const lively = { role: 'volatile', spreadBps: 5, displayedThousands: [20, 150], printsPer100: 85, preMarketPer100: 3 } as const;

/** Fourteen lively names, so that a desk which may trade each name once a day still finds its trades. All but SPY and AAPL are made up. */
export const PROFILES: readonly Profile[] = [
  { ...calm, symbol: 'SPY', longName: 'SPDR S&P 500 ETF TRUST', industry: 'Funds', dollars: [180, 240], sigmaPpm: 35 },
  { ...calm, symbol: 'AAPL', longName: 'APPLE INC', industry: 'Technology', dollars: [150, 230], sigmaPpm: 75 },
  { ...calm, symbol: 'KOLA', longName: 'KOLA BEVERAGES CO', industry: 'Consumer', dollars: [50, 80], sigmaPpm: 55 },
  { ...calm, symbol: 'BRIK', longName: 'BRIK MATERIALS INC', industry: 'Basic Materials', dollars: [90, 140], sigmaPpm: 80 },
  {
    ...lively,
    symbol: 'GAPR',
    longName: 'GAPR THERAPEUTICS',
    industry: 'Healthcare',
    role: 'gapper',
    dollars: [18, 45],
    sigmaPpm: 520,
    preMarketPer100: 20,
  },
  {
    ...lively,
    symbol: 'LEAP',
    longName: 'LEAP ROBOTICS',
    industry: 'Industrial',
    role: 'gapper',
    dollars: [25, 70],
    sigmaPpm: 480,
    preMarketPer100: 18,
  },
  {
    ...lively,
    symbol: 'JMPR',
    longName: 'JUMPER NETWORKS',
    industry: 'Technology',
    role: 'gapper',
    dollars: [10, 30],
    sigmaPpm: 560,
    preMarketPer100: 15,
  },
  { ...lively, symbol: 'SOAR', longName: 'SOAR AEROSPACE', industry: 'Industrial', role: 'runaway', dollars: [20, 60], sigmaPpm: 440 },
  {
    ...lively,
    symbol: 'CRSH',
    longName: 'CRASH COURSE EDUCATION',
    industry: 'Consumer',
    role: 'crasher',
    dollars: [30, 80],
    sigmaPpm: 450,
  },
  { ...lively, symbol: 'HLTD', longName: 'HALTED BIOSCIENCES', industry: 'Healthcare', role: 'halted', dollars: [15, 40], sigmaPpm: 540 },
  { ...lively, symbol: 'WILD', longName: 'WILD FRONTIER ENERGY', industry: 'Energy', dollars: [9, 20], sigmaPpm: 620, spreadBps: 8 },
  { ...lively, symbol: 'ZIGG', longName: 'ZIGG MEDIA', industry: 'Communications', dollars: [20, 50], sigmaPpm: 560 },
  { ...lively, symbol: 'BOLT', longName: 'BOLT MOTORS', industry: 'Consumer', dollars: [60, 140], sigmaPpm: 470 },
  { ...lively, symbol: 'FLIP', longName: 'FLIP SEMICONDUCTOR', industry: 'Technology', dollars: [80, 200], sigmaPpm: 460 },
  { ...lively, symbol: 'RUSH', longName: 'RUSH PAYMENTS', industry: 'Financial', dollars: [30, 90], sigmaPpm: 500 },
  { ...lively, symbol: 'SWAY', longName: 'SWAY SOFTWARE', industry: 'Technology', dollars: [100, 240], sigmaPpm: 450 },
  { ...lively, symbol: 'VOLT', longName: 'VOLTAGE STORAGE', industry: 'Utilities', dollars: [12, 35], sigmaPpm: 580 },
  { ...lively, symbol: 'JOLT', longName: 'JOLT GENOMICS', industry: 'Healthcare', dollars: [40, 110], sigmaPpm: 510 },
];
