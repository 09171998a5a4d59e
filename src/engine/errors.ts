/** The engine's own error: it imports nothing of the rest of the project, so it cannot use the shared family. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}
