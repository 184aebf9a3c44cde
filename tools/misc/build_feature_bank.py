from pcdet_kd.cli.build_feature_bank import main

if __name__ == '__main__':
    raise SystemExit(main())
