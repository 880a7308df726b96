import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  // Or where a server is: http://127.0.0.1:8080/schema.graphql
  schema: "../../../schema.graphql",
  documents: "src/**/*.ts",
  ignoreNoDocuments: false,
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: { unmaskFunctionName: "unmask" } },
      config: {
        // Documents stay text, so that nothing has to print them before they are sent.
        documentMode: "string",
        // A scalar that is missing below is an error, and not `any`.
        strictScalars: true,
        scalars: {
          ID: "string",
          BigInt: "number",
          Date: "string",
          DateTime: "string",
          JSON: "../json.js#Json",
          URL: "string",
        },
        enumsAsTypes: true,
        useTypeImports: true,
        importExtension: ".js",
      },
    },
  },
};

export default config;
