/**
 * How often the connections of one process have tried to commit to one file. Only the simulation has several in one process and shares this
 * among them: while it moves by a connection's own commits alone nobody else can have written, and that one need not ask the file
 * (`Db.dataVersion`).
 */
export interface CommitCount {
  tried: number;
}
