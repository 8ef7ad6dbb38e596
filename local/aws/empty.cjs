// Stands in for the native client of aws-lambda-ric; see ric-preload.mjs.
