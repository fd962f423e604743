/**
 * How often the connections of one process have tried to commit to one file. Only the simulation has several in one process and shares this
 * among them: while it stands still nobody can have written, and none of them need ask the file (`Db.dataVersion`).
 */
export interface CommitCount {
  tried: number;
}
