import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  // Or the URL of a server: http://127.0.0.1:8080/schema.graphql
  schema: "../../../schema.graphql",
  documents: "src/**/*.ts",
  ignoreNoDocuments: false,
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: { unmaskFunctionName: "unmask" } },
      config: {
        // Keeps documents as text, so that they need not be printed before they are sent.
        documentMode: "string",
        // Makes a scalar that is missing below an error instead of `any`.
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
