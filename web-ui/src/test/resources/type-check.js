// Checks modules with the TypeScript compiler, which the script before this one defined as `ts`.
(function (roots, read) {
  const options = {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    skipLibCheck: true,
    skipDefaultLibCheck: true,
    types: [],
  };
  const names = roots.split(' ');
  const known = (name) => name.startsWith('/lib/') || names.includes(name);
  const host = {
    getSourceFile: (name, version) => ts.createSourceFile(name, read(name), version),
    getDefaultLibFileName: () => '/lib/lib.esnext.d.ts',
    getDefaultLibLocation: () => '/lib',
    getCurrentDirectory: () => '/',
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    fileExists: known,
    readFile: read,
    writeFile: () => {},
  };
  const program = ts.createProgram(names, options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map((problem) => {
      const place = problem.file
        ? ts.getLineAndCharacterOfPosition(problem.file, problem.start)
        : { line: 0 };
      const text = ts.flattenDiagnosticMessageText(problem.messageText, ' ');
      return `${problem.file?.fileName ?? ''}:${place.line + 1} ${text}`;
    })
    .join('\n');
});
